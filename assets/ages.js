// Clock, date and ages of a screen, counted from stamps: of the present (live.js) or of a replayed moment (replay.js).
// What they write to is marked in the page: data-live, data-age-since; the words for it are JSON in #live-words.
"use strict";
window.ages = (() => {
  function write(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  // What is said in a page's own language and zone; null while the page has no words yet.
  function speaker(page) {
    const element = page.getElementById("live-words");
    if (!element) return null;
    const words = JSON.parse(element.dataset.words);
    const clockFormat = new Intl.DateTimeFormat("en-GB", {timeZone: words.zone, hourCycle: "h23", hour: "2-digit", minute: "2-digit"});
    const dateFormat = new Intl.DateTimeFormat(words.language === "en" ? "en-GB" : "id-ID", {
      timeZone: words.zone, weekday: "long", day: "numeric", month: "long", year: "numeric",
    });
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
    return {
      duration, roughly,
      wiped: words.wiped ?? "",      // what a page says that took its figures down
      clock: (at) => clockFormat.format(at).replace(":", words.separator),
      date(at) {
        const part = Object.fromEntries(dateFormat.formatToParts(at).map((each) => [each.type, each.value]));
        return `${part.weekday}, ${part.day} ${part.month} ${part.year}`;
      },
    };
  }

  // Writes clock, date and ages of a page at an instant (epoch milliseconds). `lastServer`: since when a lost wall is lost.
  function tell(page, say, now, lastServer) {
    for (const element of page.querySelectorAll("[data-live]")) {
      const what = element.dataset.live;
      if (what === "clock") write(element, say.clock(now));
      else if (what === "date") write(element, say.date(now));
      else if (what === "lost-since" && lastServer !== null) write(element, say.clock(lastServer));
    }
    for (const element of page.querySelectorAll("[data-age-since]")) {
      const since = Number(element.dataset.ageSince), spoken = element.dataset.ageShort ? say.roughly : say.duration;
      write(element, since ? spoken(now / 1000 - since) : "");
    }
  }

  // Marks the slots whose panels are past their limits at an instant: panel → {late, stale (epoch seconds or null), failed}.
  function mark(page, limits, now) {
    for (const [panel, limit] of limits) {
      const slot = page.getElementById("slot-" + panel);
      if (!slot) continue;
      slot.classList.toggle("is-late-by-clock", limit.late !== null && now >= limit.late * 1000);
      slot.classList.toggle("is-stale-by-clock", limit.failed || (limit.stale !== null && now >= limit.stale * 1000));
      slot.classList.toggle("is-failed", limit.failed);
    }
  }

  // Shows a scene and its page: all scenes are mounted, one is seen.
  function turn(page, scene) {
    for (const element of page.querySelectorAll("[data-scene]")) {
      const shown = element.dataset.scene === scene.scene && (element.dataset.mode ?? scene.mode) === scene.mode;
      element.classList.toggle("is-shown", shown);
      if (shown && element.dataset.pageShown !== undefined) element.dataset.pageShown = String(scene.page);
    }
  }
  return {speaker, tell, mark, turn};
})();
