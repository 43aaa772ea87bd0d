"use strict";
// Choosing a place for the seal by clicking on a page. Without this script the millimetres are typed.

const placing = document.querySelector("[data-placing]");
if (placing) {
  placing.classList.add("live");
  const typed = (name) => document.getElementById(name);
  const radius = 21;
  const mark = (figure, x, y) => {
    for (const old of document.querySelectorAll(".seal-here, .seal-face")) old.remove();
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    circle.setAttribute("class", "seal-here");
    circle.setAttribute("cx", x);
    circle.setAttribute("cy", y);
    circle.setAttribute("r", radius);
    figure.querySelector("svg").appendChild(circle);
  };
  placing.addEventListener("click", (event) => {
    const figure = event.target.closest("figure");
    if (!figure) return;
    const box = figure.querySelector("svg").getBoundingClientRect();
    const width = Number(figure.dataset.width);
    const height = Number(figure.dataset.height);
    const within = (value, most) => Math.min(Math.max(value, radius), most - radius);
    const x = within(((event.clientX - box.left) / box.width) * width, width).toFixed(1);
    const y = within(((event.clientY - box.top) / box.height) * height, height).toFixed(1);
    typed("page").value = figure.dataset.page;
    typed("x_mm").value = x;
    typed("y_mm").value = y;
    typed("place-position").checked = true;
    mark(figure, x, y);
  });
}
