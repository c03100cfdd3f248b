// What a screen does for the room it hangs in: dims at night, shifts its picture against burn-in, keeps the machine awake, says
// which mode somebody switched on, and goes blank by itself when another audience is due although no server says so.
// What it does follows from the last scene event (live.js keeps it as commandCenter.scene); nothing here changes a layout.
"use strict";
(() => {
  const LOOK = 250, SHIFT_EVERY = 180000;
  const PATH = [[0, 0], [2, 0], [3, 2], [2, 3], [0, 3], [-2, 3], [-3, 2], [-3, 0], [-3, -2], [-2, -3], [0, -3], [2, -3], [3, -2]];
  const room = {shifts: 0, asked: 0, awake: null, dim: 1};
  const DAY = 20 * 3600000;
  let words = null, clock = null, day = null;

  function readWords() {
    const element = document.getElementById("live-words");
    if (!element) return false;
    words = JSON.parse(element.dataset.words);
    clock = new Intl.DateTimeFormat("en-GB", {timeZone: words.zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit"});
    day = new Intl.DateTimeFormat(words.language === "en" ? "en-GB" : "id-ID", {timeZone: words.zone, day: "numeric", month: "short"});
    return true;
  }

  // ---- the mode that somebody chose, or that people of outside are present; and until when ------------------------------
  function told(scene, now) {
    const people = document.getElementById("live-page")?.dataset.audience === "people";
    const spoken = scene?.overridden || (scene && people) ? words.modes?.[scene.mode] : null;
    if (!spoken) return "";
    if (!scene.mode_until) return spoken.plain;
    const until = scene.mode_until, time = clock.format(until).replace(":", words.separator);
    const far = now !== null && until - now > DAY ? day.format(until) + " " : "";
    return (scene.overridden ? spoken.by_hand : spoken.scheduled).replace("{time}", far + time);
  }
  function look() {
    const center = window.commandCenter;
    if (!center || center.over || (!words && !readWords())) return;
    const scene = center.scene, now = center.serverNow();
    if (scene?.wipe_at && now !== null && now >= scene.wipe_at) {
      center.wipe();
      return;
    }
    const text = told(scene, now);
    for (const mark of document.querySelectorAll("[data-live=mode]")) {
      if (mark.textContent !== text) mark.textContent = text;
    }
    room.dim = scene?.dim ?? 1;
    const shade = String(Math.round((1 - room.dim) * 1000) / 1000);
    if (document.documentElement.style.getPropertyValue("--shade") !== shade) {
      document.documentElement.style.setProperty("--shade", shade);
    }
  }

  // ---- burn-in: a few pixels, every few minutes, inside the page's own edge ---------------------------------------------
  function shift() {
    const wall = document.getElementById("wall");
    room.shifts += 1;
    const [x, y] = PATH[room.shifts % PATH.length];
    if (wall) wall.style.translate = `calc(${x} * var(--px)) calc(${y} * var(--px))`;
  }

  // ---- the machine stays awake ------------------------------------------------------------------------------------------
  async function keepAwake() {
    if (!navigator.wakeLock || document.visibilityState !== "visible" || (room.awake && !room.awake.released)) return;
    room.asked += 1;
    try {
      room.awake = await navigator.wakeLock.request("screen");
      room.awake.addEventListener("release", () => keepAwake());
    } catch (_) {
      room.awake = null;           // refused (no TLS, a battery): asked again with the next look at it
    }
  }

  window.commandCenterRoom = room;
  document.addEventListener("visibilitychange", keepAwake);
  setInterval(look, LOOK);
  setInterval(shift, SHIFT_EVERY);
  setInterval(keepAwake, 60000);
  keepAwake();
})();
