// The pairing page. It asks for a code and shows it; when an administrator has approved the code the page fetches this screen's
// cookie with a secret that it never shows. It also exchanges a link's single-use code (in the address's fragment, or typed).
"use strict";
(() => {
  const ASKED_EACH = 3000, LATER = 15000, COUNTED_EACH = 1000;
  const form = document.querySelector("form"), said = document.querySelector("[role=status]");
  const code = document.querySelector("[data-code]"), commands = document.querySelectorAll("[data-command]");
  const left = document.querySelectorAll("[data-left]");
  let secret = null, until = 0;

  async function post(where, what) {
    try {
      return await fetch(where, {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(what), credentials: "same-origin",
        cache: "no-store",
      });
    } catch (_) {
      return {status: 503};
    }
  }
  const home = () => location.replace(location.pathname);

  // ---- the code that the screen shows ---------------------------------------------------------------------------------
  function show(text) {
    code.textContent = text || "····-····";
    for (const each of commands) each.textContent = each.dataset.command.replace("{code}", text || "····-····");
  }
  function count() {
    const minutes = secret ? Math.max(1, Math.ceil((until - performance.now()) / 60000)) : 0;
    for (const each of left) {
      const text = minutes ? each.dataset.left.replace("{n}", minutes) : each.dataset.none;
      if (each.textContent !== text) each.textContent = text;
    }
  }
  async function ask() {
    const answer = await post(form.dataset.pair, {});
    if (answer.status !== 200) return LATER;
    let told = null;
    try {
      told = await answer.json();
    } catch (_) {
      return LATER;        // not our server: a portal between us
    }
    secret = told.secret;
    until = performance.now() + told.seconds * 1000;
    show(told.code);
    return ASKED_EACH;
  }
  async function claim() {
    const answer = await post(form.dataset.pair, {secret});
    if (answer.status === 204) home();
    else if (answer.status === 410) {      // expired: the page comes anew with the next code, as whoever this screen is by then
      secret = null;
      show(null);
      if ((await post(form.dataset.pair, {secret: "-"})).status === 410) location.reload();
    } else if (answer.status !== 202) return LATER;
    return ASKED_EACH;
  }
  async function turn() {
    const pause = secret ? await claim() : await ask();
    count();
    setTimeout(turn, pause * (0.8 + 0.4 * Math.random()));
  }

  // ---- a link's code --------------------------------------------------------------------------------------------------
  async function enter(given) {
    said.textContent = "";
    const answer = await post(form.dataset.enter, {code: given});
    if (answer.status === 204) {
      home();
      return;
    }
    said.textContent = form.dataset[answer.status === 403 ? "refused" : answer.status === 429 ? "later" : "failed"];
  }
  function fromAddress() {
    const given = location.hash.slice(1);
    if (!given) return;
    history.replaceState(null, "", location.pathname);   // the code must not stay where a photograph shows it
    enter(given);
  }
  form.addEventListener("submit", (happening) => {
    happening.preventDefault();
    enter(new FormData(form).get("code"));
  });
  addEventListener("hashchange", fromAddress);
  fromAddress();
  if (form.dataset.pair) {                                // else this zone is entered by a link alone
    show(null);
    count();
    setInterval(count, COUNTED_EACH);
    setTimeout(turn, 200 + 800 * Math.random());          // after a power cut not all walls at one instant
  }
})();
