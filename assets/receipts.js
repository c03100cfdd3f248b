// Render receipts: each half minute the wall tells what it really painted (names of contents after an animation frame, texts as
// they stand in the page), how old the oldest data in sight is, and its memory, clock, size and build. The server judges.
"use strict";
(() => {
  const FIRST = 3000, FRAME_WITHIN = 6000, TORN_AGAIN = 1000, ANSWER_WITHIN = 10000;
  const here = location.pathname.replace(/[^/]*$/, "");
  const wait = (time) => new Promise((done) => setTimeout(done, time));
  const live = () => window.commandCenter;

  // How long the browser takes to draw a frame: a hidden, throttled or broken one never does.
  async function frameTime() {
    const asked = performance.now();
    await Promise.race([new Promise((done) => requestAnimationFrame(done)), wait(FRAME_WITHIN)]);
    return performance.now() - asked;
  }
  // Texts of the page that are not what was set last, by id.
  function torn(only) {
    const found = new Set();
    for (const texts of live().texts.values()) {
      for (const [id, props] of texts) {
        if (only && !only.has(id)) continue;
        const children = JSON.parse(props).children;
        if (typeof children !== "string" && typeof children !== "number") continue;
        if (document.getElementById(id)?.textContent !== String(children)) found.add(id);
      }
    }
    return found;
  }
  async function stillTorn() {
    const found = torn(null);
    if (!found.size) return 0;
    await wait(TORN_AGAIN);              // a frame may just have been under way to the page
    return torn(found).size;
  }
  function oldest(now) {
    let since = null;
    for (const element of document.querySelectorAll(".is-shown [data-age-since]")) {
      const at = Number(element.dataset.ageSince);
      if (at && (since === null || at < since) && element.checkVisibility({visibilityProperty: true})) since = at;
    }
    return since === null ? null : now / 1000 - since;
  }
  async function receipt() {
    const frame = await frameTime(), wrong = await stillTorn(), state = live();
    return () => ({             // made at the last moment: clocks are compared with the server's when it arrives
      screen: state.page.screen, build: state.page.build, layout: state.page.layout,
      seq: Number(document.body.dataset.paintedSeq || 0), painted: Object.fromEntries(state.painted), torn: wrong,
      age_seconds: oldest(state.now()), frame_ms: frame, heap_bytes: performance.memory?.usedJSHeapSize ?? null,
      clock_ms: Date.now(), shown_ms: state.now(), width: innerWidth, height: innerHeight, ratio: devicePixelRatio,
    });
  }
  async function tell() {
    const state = live();
    if (!state?.page || state.now() === null || state.over) return;
    const made = await receipt();
    if (state.over) return;
    const answer = await fetch(here + "receipt", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(made()), credentials: "same-origin",
      cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
    if (answer.status === 205) state.restart();      // a new cookie came: the stream is joined again under it, unseen
  }
  async function turn() {
    try {
      await tell();
    } catch (_) { /* no server, no receipt: the live client says so on the wall, the server by the silence */ }
    const pause = (live()?.receiptSeconds ?? 30) * 1000 * (0.9 + 0.2 * Math.random());
    setTimeout(turn, pause);
  }
  setTimeout(turn, FIRST);
})();
