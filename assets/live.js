// The live client of a wall: one stream, frames applied by id, ages counted from stamps, honesty without a server.
// Plain JavaScript, no build. Times come from the server (now + performance.now()), never from this machine's clock.
"use strict";
(() => {
  const TICKS_LOST = 3, FIRST_PAUSE = 500, LONGEST_PAUSE = 15000, HARD_RELOAD_AFTER = 300000, RELOADS_PER_HOUR = 3;
  const RING = 200, OFFSETS = 30, LONGEST_ASKED = 60000, TREE_WITHIN = 5000, HELLO_WITHIN = 6000, SLEPT = 3000;
  const here = location.pathname.replace(/[^/]*$/, "");
  const state = {
    connected: false, tick: 2000, offset: null, offsets: [], best: null, heard: performance.now(), lastServer: null, lostAt: null,
    tries: 0, misses: 0, owed: 0, drift: null, joined: Infinity, seq: 0, frames: 0, refetched: 0, errors: 0, paints: [],
    reloading: false, over: false, scene: null, page: null, painted: new Map(), receiptSeconds: 30,
  };
  window.commandCenter = state;
  Object.assign(state, {serverNow: () => serverNow(), wipe: () => wipe()});
  let words = null, page = null, stream = null, again = 0, asked = 0, resume = 0, reloadAt = null, reloadBy = 0, clockFormat = null, dateFormat = null;
  const shapes = new Map(), seqs = new Map(), applied = new Map(), limits = new Map(), known = new Map(), fetching = new Set(), later = new Map();

  const byId = (id) => document.getElementById(id);
  const slotOf = (panel) => byId("slot-" + panel);
  const serverNow = () => (state.offset === null ? null : state.offset + performance.now());
  Object.assign(state, {now: serverNow, texts: applied, restart: () => restart()});   // for assets/receipts.js

  // ---- the server's clock ---------------------------------------------------------------------------------------------
  // An answer is late by its way here, so the largest difference of the last ones is the nearest to the truth. A step of
  // more than two seconds is a resumed machine or a corrected server: the old ones say nothing then. One that was longer
  // under way than it takes to call the server lost (a proxy or a line that holds back) says nothing of now: not heard.
  function learn(now) {
    const difference = now - performance.now();
    if (state.best !== null && difference < state.best - TICKS_LOST * state.tick) return;
    state.best = Math.max(state.best ?? difference, difference);
    if (state.offset !== null && Math.abs(difference - state.offset) > 2000) state.offsets.length = 0;
    state.offsets.push(difference);
    if (state.offsets.length > OFFSETS) state.offsets.shift();
    state.offset = Math.max(...state.offsets);
    state.lastServer = now;
    state.heard = performance.now();
    settle();
  }

  // ---- words, clock, ages ---------------------------------------------------------------------------------------------
  function readWords() {
    const element = byId("live-words");
    if (!element) return;
    words = JSON.parse(element.dataset.words);
    const options = {timeZone: words.zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit"};
    clockFormat = new Intl.DateTimeFormat("en-GB", options);
    dateFormat = new Intl.DateTimeFormat(words.language === "en" ? "en-GB" : "id-ID", {
      timeZone: words.zone, weekday: "long", day: "numeric", month: "long", year: "numeric",
    });
  }
  const clock = (at) => clockFormat.format(at).replace(":", words.separator);
  function date(at) {
    const part = Object.fromEntries(dateFormat.formatToParts(at).map((each) => [each.type, each.value]));
    return `${part.weekday}, ${part.day} ${part.month} ${part.year}`;
  }
  const said = (unit, n) => words.times[n === 1 && unit !== "seconds" ? unit + "_one" : unit].replace("{n}", n);
  function duration(seconds) {
    const whole = Math.max(0, Math.floor(seconds)), minutes = Math.floor(whole / 60);
    if (minutes < 1) return said("seconds", whole);
    const days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60) % 24, rest = minutes % 60;
    if (days) return said("days", days) + (hours ? " " + said("hours", hours) : "");
    if (hours) return said("hours", hours) + (rest ? " " + said("minutes", rest) : "");
    return said("minutes", rest);
  }
  function roughly(seconds) {       // its largest unit alone, where there is room for no more
    const whole = Math.max(0, Math.floor(seconds)), days = Math.floor(whole / 86400), hours = Math.floor(whole / 3600);
    if (days) return said("days", days);
    return hours ? said("hours", hours) : duration(whole);
  }
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }
  function writeAll() {
    const now = serverNow();
    if (!words || now === null) return;
    for (const element of document.querySelectorAll("[data-live]")) {
      const what = element.dataset.live;
      if (what === "clock") write(element, clock(now));
      else if (what === "date") write(element, date(now));
      else if (what === "lost-since" && state.lastServer !== null) write(element, clock(state.lastServer));
    }
    for (const element of document.querySelectorAll("[data-age-since]")) {
      const since = Number(element.dataset.ageSince);
      const spoken = element.dataset.ageShort ? roughly : duration;
      write(element, since ? spoken(now / 1000 - since) : "");
    }
    for (const [panel, limit] of limits) {
      const slot = slotOf(panel);
      if (!slot) continue;
      slot.classList.toggle("is-late-by-clock", limit.late !== null && now >= limit.late * 1000);
      slot.classList.toggle("is-stale-by-clock", limit.failed || (limit.stale !== null && now >= limit.stale * 1000));
      slot.classList.toggle("is-failed", limit.failed);
    }
  }

  // ---- frames ---------------------------------------------------------------------------------------------------------
  const limitsOf = (frame) => ({late: frame.limits.late, stale: frame.limits.stale, failed: !!frame.failed});
  function apply(frame) {
    if (!slotOf(frame.panel)) return;
    if (frame.seq <= (seqs.get(frame.panel) ?? -1)) return;
    seqs.set(frame.panel, frame.seq);
    state.seq = Math.max(state.seq, frame.seq);
    state.frames += 1;
    if (shapes.get(frame.panel) !== frame.shape) {
      fetchTree(frame);
      return;
    }
    limits.set(frame.panel, limitsOf(frame));
    const before = applied.get(frame.panel) ?? new Map();
    for (const [id, props] of Object.entries(frame.props)) {
      const text = JSON.stringify(props);
      if (before.get(id) === text) continue;
      dash_clientside.set_props(id, props);
      before.set(id, text);
    }
    applied.set(frame.panel, before);
    known.set(frame.panel, frame.said);
    painted(frame);
  }
  // Another shape: the whole tree, once. A frame that comes meanwhile asks again when this answer is there.
  async function fetchTree(frame) {
    const panel = frame.panel;
    if (fetching.has(panel)) {
      later.set(panel, frame);
      return;
    }
    fetching.add(panel);
    try {
      const answer = await fetch(here + "panel/" + panel, {
        credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(TREE_WITHIN),
      });
      if (!answer.ok || !(answer.headers.get("content-type") || "").startsWith("application/json")) throw new Error("no tree");
      const whole = await answer.json();
      dash_clientside.set_props("slot-" + panel, {children: whole.tree});
      shapes.set(panel, whole.shape);
      seqs.set(panel, Math.max(whole.seq, seqs.get(panel) ?? 0));
      applied.delete(panel);
      limits.set(panel, limitsOf(whole));
      known.set(panel, whole.said);
      state.refetched += 1;
      state.misses = 0;
      painted(frame);
    } catch (_) {
      // What stays up is not what the server says now: it is marked, and a new stream, after a pause, brings it anew.
      limits.set(panel, {...limitsOf(frame), failed: true});
      known.delete(panel);
      seqs.delete(panel);
      state.errors += 1;
      state.misses += 1;
      state.tries = Math.max(state.tries, state.misses);
      stream?.abort();
      if (!state.over) retry(null);
      writeAll();
    } finally {
      fetching.delete(panel);
      const waiting = later.get(panel);
      later.delete(panel);
      if (waiting && waiting.shape !== shapes.get(panel)) fetchTree(waiting);
      else if (waiting && waiting.seq > (seqs.get(panel) ?? -1)) apply(waiting);
      settle();
    }
  }
  // From the commit to the pixels, on the server's clock: the second animation frame begins after the first was painted.
  function painted(frame) {
    if (document.hidden) return;      // nothing is painted, and what would wait for it would pile up
    const said = known.get(frame.panel);
    requestAnimationFrame(() => {
      writeAll();
      requestAnimationFrame(() => {
        const now = serverNow();
        state.painted.set(frame.panel, said);
        // What changed before this screen joined was not for it to paint in time.
        const took = now !== null && frame.changed_ms > state.joined ? now - frame.changed_ms : null;
        state.paints.push({panel: frame.panel, seq: frame.seq, at: now, took});
        if (state.paints.length > RING) state.paints.shift();
        document.body.dataset.paintedSeq = String(frame.seq);
        if (took !== null) document.body.dataset.paintMs = took.toFixed(1);
      });
    });
  }
  function readSlots() {
    for (const slot of document.querySelectorAll("[data-panel]")) {
      const panel = slot.dataset.panel, stamp = (name) => (slot.dataset[name] ? Number(slot.dataset[name]) : null);
      if (!slot.dataset.shape) continue;
      shapes.set(panel, slot.dataset.shape);
      known.set(panel, slot.dataset.said);
      limits.set(panel, {late: stamp("late"), stale: stamp("stale"), failed: !!slot.dataset.failed});
    }
    const first = [...known];
    requestAnimationFrame(() => requestAnimationFrame(() => {
      for (const [panel, said] of first) if (!state.painted.has(panel)) state.painted.set(panel, said);
    }));
  }

  // ---- scenes ---------------------------------------------------------------------------------------------------------
  function show(scene) {
    const turned = state.scene !== null;
    state.scene = scene;
    for (const element of document.querySelectorAll("[data-scene]")) {
      const shown = element.dataset.scene === scene.scene && (element.dataset.mode ?? scene.mode) === scene.mode;
      element.classList.toggle("is-shown", shown);
      if (shown && element.dataset.pageShown !== undefined) element.dataset.pageShown = String(scene.page);
    }
    if (turned && reloadAt !== null && performance.now() >= reloadAt) reloadConnected();
  }

  // ---- builds, reloads, the end ---------------------------------------------------------------------------------------
  function reload() {
    if (state.reloading) return;
    let times = [];
    try {
      times = JSON.parse(sessionStorage.getItem("reloads") || "[]");
    } catch (_) { /* a broken note counts as none */ }
    const now = serverNow() ?? 0;
    times = times.filter((at) => now - at < 3600000);
    if (times.length >= RELOADS_PER_HOUR) {
      reloadAt = null;
      return;
    }
    state.reloading = true;
    try {
      sessionStorage.setItem("reloads", JSON.stringify([...times, now]));
    } catch (_) { /* without storage the pause between reloads is the guard */ }
    location.reload();
  }
  // A page of an older build or layout goes at the end of a scene, each wall after a time of its own; where scenes do not turn,
  // at the latest after twice the longest. Never while the server is away: that would show a browser's error page.
  function reloadConnected() {
    if (state.connected && state.lostAt === null) reload();
  }
  function compare(hello) {
    if (hello.build === page.build && hello.layout === page.layout) {
      reloadAt = null;
      return;
    }
    if (reloadAt !== null) return;
    const most = Number(hello.reload_jitter_ms ?? 60000);
    reloadAt = performance.now() + Math.random() * most;
    reloadBy = reloadAt + most;
  }
  function bye() {
    state.over = true;
    stream?.abort();
    limits.clear();
    applied.clear();
    known.clear();
    state.painted.clear();
    document.body.replaceChildren();
    document.body.className = "";
    try {
      sessionStorage.clear();
      localStorage.clear();
    } catch (_) { /* nothing kept then */ }
    location.replace(here);
  }

  // The audience is another one: what stands here is not for those who are here now. It goes at once, and the page comes anew as
  // soon as the server answers (a page that cannot be loaded would be a browser's error page on the wall).
  function wipe() {
    if (state.over) return;
    state.over = true;
    stream?.abort();
    limits.clear();
    applied.clear();
    known.clear();
    const said = document.createElement("p");
    said.id = "wiped";
    said.textContent = words?.wiped ?? "";
    document.body.replaceChildren(said);
    document.body.className = "";
    const again = async () => {
      try {
        const answer = await fetch("/readyz", {cache: "no-store"});
        if (answer.status === 200) return location.reload();
      } catch (_) { /* not there yet */ }
      return setTimeout(again, 1000);
    };
    again();
  }

  // ---- the stream -----------------------------------------------------------------------------------------------------
  function happened(name, data) {
    if (state.over) return;
    if (name === "hello") {
      if (data.audience !== page.audience) {
        wipe();
        return;
      }
      // Stamps of one way cannot tell a server that is behind from a way that holds all back alike: only the round trip can.
      if (performance.now() - asked > HELLO_WITHIN) throw new Error("a stream that may be behind");
      state.receiptSeconds = data.receipt_seconds;
      state.offsets.length = 0;
      state.best = null;
      state.owed = data.frames ?? 0;
      state.tick = data.tick_seconds * 1000;
      state.tries = state.misses;
      state.joined = data.now;
      seqs.clear();               // another process numbers anew
      compare(data);
      learn(data.now);
    } else if (name === "tick") learn(data.now);
    else if (name === "frame") {
      state.owed = Math.max(0, state.owed - 1);
      apply(data);
      settle();
    }
    else if (name === "scene") show(data);
    else if (name === "bye") bye();
    else if (name === "wipe") wipe();
    else if (name === "build") compare(data);
  }
  function take(block) {
    let name = "message";
    const data = [];
    for (const line of block.split("\n")) {
      if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data.push(line.slice(6));
    }
    if (data.length) happened(name, JSON.parse(data.join("\n")));
  }
  async function connect() {
    const mine = new AbortController();
    stream = mine;
    let wait = null;
    asked = performance.now();
    try {
      const answer = await fetch(here + "live", {
        signal: mine.signal, credentials: "same-origin", cache: "no-store",
        headers: {Accept: "text/event-stream", "X-Known": [...known.values()].join(",")},   // is not sent again
      });
      const ours = (answer.headers.get("content-security-policy") || "").startsWith("default-src 'none'");
      if (ours && (answer.status === 401 || answer.status === 403)) {      // a proxy's 403 is only a failure
        bye();
        return;
      }
      wait = Math.min(LONGEST_ASKED, Number(answer.headers.get("retry-after")) * 1000) || null;
      const kind = answer.headers.get("content-type") || "";
      if (answer.status !== 200 || !kind.startsWith("text/event-stream")) throw new Error("not a stream");
      state.connected = true;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let kept = "";
      for (;;) {
        const {done, value} = await reader.read();
        if (done || mine !== stream) break;
        kept += value;
        const blocks = kept.split("\n\n");
        kept = blocks.pop();
        window.gather.together(() => blocks.forEach(take));
        if (kept.length > 4194304) throw new Error("an event without end");
      }
    } catch (_) {
      state.errors += 1;
    }
    mine.abort();
    if (mine === stream && !state.over) retry(wait);
  }
  function retry(wait) {
    state.connected = false;
    stream = null;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(state.tries, 8));
    state.tries += 1;
    again = performance.now() + Math.max(wait ?? 0, pause * (0.5 + Math.random()));
  }
  function restart() {
    if (state.over) return;
    stream?.abort();
    stream = null;
    state.connected = false;
    again = 0;
    beat();
  }
  // A stream that is heard again still owes what it said it would send; until all of that is up, the page is not back.
  function settle() {
    if (state.lostAt === null || state.owed || fetching.size) return;
    if (!state.connected || performance.now() - state.heard > TICKS_LOST * state.tick) return;
    state.lostAt = null;
    document.body.classList.remove("is-lost");
    delete document.body.dataset.lost;
  }
  function lose() {
    if (state.lostAt !== null) return;
    state.lostAt = performance.now();
    document.body.classList.add("is-lost");
    document.body.dataset.lost = "1";
    writeAll();
  }
  // After five minutes without a stream the page itself may be what is broken; it goes only when the server answers again,
  // for a page that the browser cannot load would be a browser's error page on the wall.
  async function reloadIfServed() {
    resume = performance.now() + 15000;
    try {
      const answer = await fetch("/readyz", {cache: "no-store"});
      if (answer.status === 200 && (await answer.text()).trim() === "ready" && state.lostAt !== null) reload();
    } catch (_) { /* still gone */ }
  }
  function beat() {
    if (state.over) return;
    const now = performance.now(), drift = Date.now() - now, slept = state.drift !== null && Math.abs(drift - state.drift) > SLEPT;
    state.drift = drift;
    if (slept) {        // this machine was asleep (its steady clock stood still meanwhile), or its clock was set
      lose();
      restart();
      return;
    }
    if (now - state.heard > TICKS_LOST * state.tick) {
      lose();
      if (stream && now - state.heard > 2 * TICKS_LOST * state.tick && state.connected) restart();
    }
    if (state.lostAt !== null && now - state.lostAt > HARD_RELOAD_AFTER && now > resume) reloadIfServed();
    if (!stream && now >= again) connect();
    if (reloadAt !== null && now >= reloadBy) reloadConnected();
    writeAll();
  }

  // ---- start ----------------------------------------------------------------------------------------------------------
  function begin() {
    const mark = byId("live-page");
    if (!mark || !window.dash_clientside?.set_props) return false;
    page = state.page = {build: mark.dataset.build, layout: mark.dataset.layout, screen: mark.dataset.screen, audience: mark.dataset.audience ?? "room"};
    readWords();
    readSlots();
    state.heard = performance.now();
    setInterval(beat, 250);
    beat();
    const wake = () => {
      if (document.visibilityState === "visible" && performance.now() - state.heard > state.tick * 1.5) restart();
    };
    document.addEventListener("visibilitychange", wake);
    document.addEventListener("resume", wake);
    document.addEventListener("freeze", lose);      // what stays on the glass of a page that stands still is marked
    addEventListener("pageshow", wake);
    addEventListener("online", restart);
    return true;
  }
  const poll = setInterval(() => {
    if (begin()) clearInterval(poll);
  }, 50);
})();
