"use strict";
// Everything works without this script. It moves the focus to what is new, takes dropped files, and says that it waits.

const fresh = document.querySelector("[data-focus]");
if (fresh && !location.hash) fresh.focus({ preventScroll: true });

const form = document.getElementById("upload");
if (form) {
  const input = document.getElementById("document");
  const area = form.querySelector(".drop");
  const told = document.getElementById("progress");
  const tooLarge = () => input.files.length > 0 && input.files[0].size > Number(form.dataset.most);
  const tell = () => {
    if (tooLarge()) told.textContent = form.dataset.tooLarge;
    else told.textContent = input.files.length ? form.dataset.chosen + input.files[0].name : "";
  };
  input.addEventListener("change", tell);
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) area.addEventListener(name, () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      tell();
    }
  });
  form.addEventListener("submit", (event) => {
    if (tooLarge()) {
      event.preventDefault();
      tell();
      input.focus();
      return;
    }
    told.textContent = form.dataset.working;
    form.classList.add("working");
  });
  // Coming back by the history must find a form that can be sent again.
  window.addEventListener("pageshow", () => form.classList.remove("working"));
}
