"use strict";
// Fills a form with what a passkey answers, then sends it. Without this script a form says that passkeys need one.

const decoded = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};
const encoded = (bytes) => {
  let plain = "";
  for (const each of new Uint8Array(bytes)) plain += String.fromCharCode(each);
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
};
const described = (list) => (list || []).map((each) => Object.assign({}, each, { id: decoded(each.id) }));

const asked = (text) => {
  const options = JSON.parse(text);
  options.challenge = decoded(options.challenge);
  if (options.user) options.user.id = decoded(options.user.id);
  if (options.allowCredentials) options.allowCredentials = described(options.allowCredentials);
  if (options.excludeCredentials) options.excludeCredentials = described(options.excludeCredentials);
  return options;
};

const told = (credential) => {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = encoded(credential.response[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: encoded(credential.rawId), type: credential.type, response });
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    const status = form.querySelector("[role=status]");
    if (!window.PublicKeyCredential) {
      status.textContent = form.dataset.missing;
      return;
    }
    status.textContent = form.dataset.waiting;
    try {
      const publicKey = asked(form.dataset.options);
      const making = form.dataset.passkey === "create";
      const credential = await (making
        ? navigator.credentials.create({ publicKey })
        : navigator.credentials.get({ publicKey }));
      form.elements.credential.value = told(credential);
      form.submit();
    } catch (problem) {
      status.textContent = form.dataset.failed;
    }
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) form.elements.credential.value = "";
});
