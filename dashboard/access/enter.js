// The pairing page: exchanges the single-use code of the address's fragment, or a typed one, for this screen's cookie.
"use strict";
(() => {
  const form = document.querySelector("form"), said = document.querySelector("[role=status]");
  async function enter(code) {
    said.textContent = "";
    let answer;
    try {
      answer = await fetch(form.dataset.enter, {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({code}), credentials: "same-origin",
      });
    } catch (_) {
      answer = {status: 503};
    }
    if (answer.status === 204) {
      location.replace(location.pathname);
      return;
    }
    said.textContent = form.dataset[answer.status === 403 ? "refused" : answer.status === 429 ? "later" : "failed"];
  }
  function fromAddress() {
    const code = location.hash.slice(1);
    if (!code) return;
    history.replaceState(null, "", location.pathname);   // the code must not stay where a photograph shows it
    enter(code);
  }
  form.addEventListener("submit", (happening) => {
    happening.preventDefault();
    enter(new FormData(form).get("code"));
  });
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
