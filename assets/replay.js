// Replay: shows a screen as it was recorded, in a frame of its own, at the clock of the replayed moment. Nothing live comes in:
// each picture is one answer for one instant, and what nobody recorded is said, never filled with what stood before it.
"use strict";
(() => {
  const MINUTE = 60000, BEAT = 100, GAP_SHOWN = 3000, AGAIN = 1000, SETTLES = 400, MOST_BODIES = 600;
  const state = {
    at: 0, moment: null, speed: 0, base: 0, began: 0, asking: 0, pictures: 0, errors: 0, over: false, took: null, next: 0, gapSince: 0,
  };
  window.commandCenterReplay = state;
  const bodies = new Map(), shown = new Map(), limits = new Map();
  const words = JSON.parse(document.body.dataset.words), zone = document.body.dataset.zone, zoneName = document.body.dataset.zoneName;
  const byId = (id) => document.getElementById(id);
  let page = null, say = null, style = null, compared = 0, endsAt = null, offset = 0, size = [1920, 1080];

  // ---- words and times in both languages ------------------------------------------------------------------------------
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  function both(key, values = {}) {
    const part = document.createDocumentFragment(), small = document.createElement("small");
    small.lang = "en";
    small.textContent = fill(words.en[key], values.en ?? values);
    part.append(fill(words.id[key], values.id ?? values) + " ", small);
    return part;
  }
  const format = (language, options) => new Intl.DateTimeFormat(language === "id" ? "id-ID" : "en-GB", {timeZone: zone, hourCycle: "h23", ...options});
  const day = {weekday: "long", day: "numeric", month: "long", year: "numeric"}, time = {hour: "2-digit", minute: "2-digit", second: "2-digit"};
  const days = {id: format("id", day), en: format("en", day)}, times = {id: format("en", time), en: format("en", time)};
  function told(language, at) {
    const clock = times[language].format(at);
    return `${days[language].format(at)} ${language === "id" ? clock.replaceAll(":", ".") : clock} ${zoneName}`;
  }
  const stamps = (at) => ({id: at === null ? words.id.gap_open : told("id", at), en: at === null ? words.en.gap_open : told("en", at)});
  const whole = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  function local(at) {              // the zone's own wall clock at an instant, as if it were UTC
    const part = Object.fromEntries(whole.formatToParts(at).map((each) => [each.type, each.value]));
    return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
  }
  function instant(text) {          // what a person typed, on the zone's clock
    const wanted = Date.parse(text + (text.length === 16 ? ":00Z" : "Z"));
    let at = wanted - (local(wanted) - wanted);
    at -= local(at) - wanted;
    return at;
  }

  // ---- the clock of the replay ----------------------------------------------------------------------------------------
  function clock() {
    return state.speed ? state.base + (performance.now() - state.began) * state.speed : state.at;
  }
  function play(speed) {
    const at = clock();
    state.speed = speed;
    state.base = at;
    state.began = performance.now();
    if (!speed) state.at = Math.floor(at);
    for (const button of document.querySelectorAll("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
    }
    if (!speed) go(state.at);
  }

  // ---- what is asked --------------------------------------------------------------------------------------------------
  async function go(at) {
    const mine = ++state.asking, asked = performance.now();
    let answer = null, found = null;
    try {
      const known = [...shown.values()].flatMap((each) => [each.shape, each.props]);
      answer = await fetch("moment/" + Math.max(0, Math.floor(at)), {
        cache: "no-store", credentials: "same-origin", headers: {"X-Known": [page, ...known].filter(Boolean).join(",")},
      });
      if (answer.status === 401 || answer.status === 403) {
        end();
        return;
      }
      if (answer.status !== 200) throw new Error("no moment");
      found = await answer.json();
    } catch (_) {
      state.errors += 1;
      byId("failed").hidden = false;
      if (mine === state.asking) state.asking = 0;
      state.next = performance.now() + AGAIN;
      return;
    }
    if (state.over || mine !== state.asking) return;
    for (const [name, body] of Object.entries(found.bodies)) {
      bodies.delete(name);
      bodies.set(name, body);
    }
    try {
      await picture(found);
    } catch (err) {
      state.errors += 1;
      console.error(err);
      forget();
    }
    if (mine !== state.asking) return;
    state.asking = 0;
    state.moment = found;
    state.next = 0;
    if (!state.speed) state.at = found.at;
    endsAt = found.ends_at * 1000;
    offset = found.now - performance.now();
    byId("failed").hidden = true;
    tell();
    requestAnimationFrame(() => requestAnimationFrame(() => {
      state.took = performance.now() - asked;
      state.pictures += 1;
      document.body.dataset.at = String(found.at);
      document.body.dataset.pictures = String(state.pictures);
    }));
    for (const name of bodies.keys()) {
      if (bodies.size <= MOST_BODIES) break;
      if (![...shown.values()].some((each) => each.shape === name || each.props === name) && name !== page) bodies.delete(name);
    }
    if (!state.speed) later(found);
  }

  // ---- the picture ----------------------------------------------------------------------------------------------------
  const stage = () => byId("stage").contentDocument, dash = () => byId("stage").contentWindow?.dash_clientside;
  const plain = (type, props) => ({type, namespace: "dash_html_components", props});
  function assembled(skeleton, props) {
    if (Array.isArray(skeleton)) return skeleton.map((each) => assembled(each, props));
    if (skeleton === null || typeof skeleton !== "object" || !skeleton.props || !skeleton.namespace) return skeleton;
    const own = {...skeleton.props};
    if ("children" in own) own.children = assembled(own.children, props);
    if (skeleton.names) Object.assign(own, props[own.id]);
    return {type: skeleton.type, namespace: skeleton.namespace, props: own};
  }
  function notice(key, why) {
    const box = {
      display: "grid", placeContent: "center", textAlign: "center", height: "100%", padding: "8px", border: "3px dashed #cfd8e1",
      background: "#161e27", color: "#cfd8e1", font: "600 calc(26 * var(--px)) var(--font)",
    };
    const lines = [words.id[key], words.en[key], ...(why ? [words.id[why], words.en[why]] : [])];
    return plain("Div", {className: "replay-notice", style: box, children: lines.map((line) => plain("Div", {children: line}))});
  }
  function tree(found, panel) {
    const each = found.panels[panel];
    if (found.damaged.includes(panel)) return notice("damaged", "damaged_why");
    if (!each) return notice("unrecorded");
    return assembled(bodies.get(each.shape), bodies.get(each.props));
  }
  function filled(part, found) {
    if (Array.isArray(part)) return part.map((each) => filled(each, found));
    if (part === null || typeof part !== "object" || !part.props) return part;
    const panel = part.props["data-panel"];
    if (panel && String(part.props.id ?? "").startsWith("slot-")) return {...part, props: {...part.props, children: tree(found, panel)}};
    return "children" in part.props ? {...part, props: {...part.props, children: filled(part.props.children, found)}} : part;
  }
  function forget() {
    page = null;
    shown.clear();
    limits.clear();
    dash()?.set_props("replayed", {children: null});
  }
  async function dressed(name) {     // in the style sheets of the build that drew it
    if (style === name) return;
    const link = stage().createElement("link");
    link.rel = "stylesheet";
    link.href = `assets/recorded-${name}.css`;
    await new Promise((done) => {
      link.onload = link.onerror = done;
      stage().head.append(link);
    });
    for (const old of stage().querySelectorAll("link[data-recorded]")) old.remove();
    link.dataset.recorded = name;
    style = name;
  }
  async function picture(found) {
    byId("gap").hidden = !found.gap;
    byId("stand").hidden = !!found.gap;
    document.body.classList.toggle("has-gap", !!found.gap);
    if (found.gap) {
      forget();
      gap(found.gap);
      return;
    }
    state.gapSince = 0;
    await ready();
    await dressed(found.style);
    const layout = bodies.get(found.page);
    if (!layout) {                  // the screen itself is damaged or not recorded: nothing to hang panels on
      forget();
      dash().set_props("replayed", {children: notice(found.damaged.length ? "damaged" : "unrecorded")});
      return;
    }
    size = layout.pixels;
    fit();
    if (page !== found.page) {
      dash().set_props("replayed", {children: filled(layout.page, found)});
      page = found.page;
      shown.clear();
      await new Promise(requestAnimationFrame);
    } else for (const panel of layout.instances) change(found, panel);
    limits.clear();
    shown.clear();
    for (const [panel, each] of Object.entries(found.panels)) {
      shown.set(panel, {shape: each.shape, props: each.props});
      limits.set(panel, {late: each.limits.late ?? null, stale: each.limits.stale ?? null, failed: !!each.limits.failed});
    }
    say = window.ages.speaker(stage());
    if (found.scene) turned(found.scene);
    write();
  }
  function change(found, panel) {
    const before = shown.get(panel), now = found.panels[panel];
    if (before && now && before.shape === now.shape && !found.damaged.includes(panel)) {
      if (before.props === now.props) return;
      const old = bodies.get(before.props) ?? {}, fresh = bodies.get(now.props);
      for (const [id, props] of Object.entries(fresh)) {
        if (JSON.stringify(props) !== JSON.stringify(old[id])) dash().set_props(id, props);
      }
    } else dash().set_props("slot-" + panel, {children: tree(found, panel)});
  }
  function turned(scene) {
    window.ages.turn(stage(), scene);
    stage().body.dataset.mode = scene.mode ?? "";
  }
  async function ready() {
    for (;;) {
      if (dash()?.set_props && stage()?.getElementById("replayed")) return;
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  // ---- what is written around it --------------------------------------------------------------------------------------
  function write() {
    if (say && page) {
      const at = state.speed ? clock() : state.moment?.at ?? state.at;
      window.ages.tell(stage(), say, at, null);
      window.ages.mark(stage(), limits, at);
    }
  }
  function tell() {
    const found = state.moment, at = state.speed && !found.gap && !found.step_ms ? clock() : found.gap ? found.asked : found.at;
    byId("told").textContent = told("id", at);
    byId("told-en").textContent = told("en", at);
    byId("screen").textContent = found.screen + (found.scene?.mode ? ` · ${found.scene.mode}` : "");
    const thinned = byId("thinned");
    thinned.hidden = !found.step_ms;
    if (found.step_ms) thinned.replaceChildren(both("thinned", {n: found.step_ms / MINUTE}));
    if (endsAt) byId("ends-at").textContent = times.en.format(endsAt).replaceAll(":", ".") + " " + zoneName;
  }
  function gap(why) {
    const from = stamps(why.from), to = stamps(why.to), head = document.createElement("h1"), line = document.createElement("p"), unknown = document.createElement("p");
    head.append(both("gap"));
    line.append(both("gap_" + why.why, {id: {from: from.id, to: to.id}, en: {from: from.en, to: to.en}}));
    unknown.append(both("gap_why"));
    byId("gap").replaceChildren(head, line, unknown);
    state.gapSince ||= performance.now();
  }
  function later(found) {
    clearTimeout(compared);
    for (const id of ["figures", "learnt"]) byId(id).replaceChildren();
    byId("same").hidden = true;
    if (!found.gap) compared = setTimeout(() => since(found.at), SETTLES);
  }
  async function since(at) {
    let found = null;
    try {
      const answer = await fetch("since/" + at, {cache: "no-store", credentials: "same-origin"});
      if (answer.status === 200) found = await answer.json();
    } catch (_) { /* asked again with the next picture */ }
    if (!found || state.speed || state.moment?.at !== at) return;
    byId("figures").replaceChildren(...found.figures.map((each) => {
      const item = document.createElement("li"), name = document.createElement("span"), then = document.createElement("span"), now = document.createElement("b");
      item.className = each.differs ? "differs" : "";
      item.dataset.panel = each.panel;
      name.append(each.title.id + " ", Object.assign(document.createElement("small"), {lang: "en", textContent: each.title.en}));
      const figure = (text, unit) => Object.assign(document.createElement("i"), {
        textContent: /\d/.test(text) ? text + unit : text, className: /\d/.test(text) ? "" : "in-words",
      });
      then.append(both("then"), " ", figure(each.then, each.unit));
      now.append(both("now"), " ", figure(each.now, each.unit));
      item.append(name, then, now);
      return item;
    }));
    byId("same").hidden = !found.figures.length || found.figures.some((each) => each.differs);
    const none = document.createElement("li");
    none.append(both("learnt_none"));
    byId("learnt").replaceChildren(...(found.learnt.length ? found.learnt.map((each) => {
      const item = document.createElement("li");
      item.append(Object.assign(document.createElement("b"), {textContent: each.name + " "}));
      for (const key of ["new", "revised", "deleted"]) if (each[key]) item.append(both("learnt_" + key, {n: each[key]}), " ");
      return item;
    }) : [none]));
    document.body.dataset.compared = String(at);
  }

  // ---- steps, size, the end -------------------------------------------------------------------------------------------
  async function step(unit, by) {
    if (!state.moment) return;
    const at = Math.floor(clock());
    if (state.speed) play(0);
    if (unit === "minute") go(by < 0 ? (Math.ceil(at / MINUTE) - 1) * MINUTE : (Math.floor(at / MINUTE) + 1) * MINUTE);
    else {
      const to = () => (by < 0 ? state.moment.previous : state.moment.next);
      if (to() === null) await go(at);       // the recording may have gone on meanwhile
      if (to() !== null) go(to());
    }
  }
  function fit() {
    const stand = byId("stand"), frame = byId("stage"), [width, height] = size;
    const scale = Math.min(stand.parentElement.clientWidth / width, stand.parentElement.clientHeight / height);
    frame.style.width = width + "px";
    frame.style.height = height + "px";
    frame.style.transform = `scale(${scale})`;
    stand.style.width = width * scale + "px";
    stand.style.height = height * scale + "px";
  }
  function end() {
    state.over = true;
    const said = document.createElement("p");
    said.id = "over";
    said.append(both("ended"));
    document.body.replaceChildren(said);
    bodies.clear();
  }
  function beat() {
    if (state.over) return;
    if (endsAt && offset + performance.now() >= endsAt) {
      end();
      return;
    }
    if (!state.moment || state.asking) {
      if (!state.moment && !state.asking && performance.now() >= state.next) go(0);
      return;
    }
    write();
    if (!state.speed) return;
    tell();
    const found = state.moment, at = clock();
    if (performance.now() < state.next) return;
    if (found.gap) {
      if (found.gap.to === null) {      // it caught up with the recording: it stands at the last that is known
        state.speed = 0;
        state.at = Math.max(0, (found.gap.from ?? 1) - 1);
        play(0);
        return;
      }
      if (performance.now() - state.gapSince < GAP_SHOWN) return;
      state.base = found.gap.to;
      state.began = performance.now();
      go(found.gap.to);
    } else if (found.until === null ? performance.now() - state.began > AGAIN : at >= found.until) {
      if (found.until === null) state.next = performance.now() + AGAIN;
      go(at);
    }
  }

  byId("stage").src = "stage";
  document.addEventListener("click", (happening) => {
    const button = happening.target.closest?.("button");
    if (button?.dataset.step) step(button.dataset.step, Number(button.dataset.by));
    else if (button?.dataset.speed) play(Number(button.dataset.speed));
  });
  document.addEventListener("keydown", (happening) => {
    if (happening.target.id === "go") return;
    const by = {ArrowLeft: -1, ArrowRight: 1}[happening.key];
    if (by) step(happening.shiftKey ? "minute" : "change", by);
    else if (happening.key === " " && happening.target.tagName !== "BUTTON") play(state.speed ? 0 : 1);
    else return;
    happening.preventDefault();
  });
  byId("go").addEventListener("change", (happening) => {
    const at = instant(happening.target.value);
    if (Number.isNaN(at)) return;
    if (state.speed) play(0);
    go(at);
  });
  addEventListener("resize", fit);
  setInterval(beat, BEAT);
})();
