// What is wrong with the page that is seen, measured by the boxes of its ink: cut, overlapping, off the screen, too small.
// Sizes are CSS pixels; `pixel` is one pixel of a 1080p wall (--px). A text may end in an ellipsis only where
// `cutAllowed`, where it is already as small as its place allows, or as a name longer than any of the regency's (24 letters).
({floor, cutAllowed}) => {
  const out = new Set(), W = innerWidth, H = innerHeight, pen = document.createElement("canvas").getContext("2d");
  const visible = (e) => getComputedStyle(e).visibility !== "hidden";
  const say = (n) => (n.textContent || n.className?.baseVal || n.className || "").trim().slice(0, 48);
  const inside = (e, box, slack) => e.left >= box.left - slack && e.right <= box.right + slack && e.top >= box.top - slack && e.bottom <= box.bottom + slack;
  const tall = new Map();
  function ink(text, style, px) {          // above and below the baseline, and the whole height of the line's content
    const font = `${style.fontWeight} ${px}px ${style.fontFamily}`, key = font + text;
    if (!tall.has(key)) {
      pen.font = font;
      const m = pen.measureText(text);
      tall.set(key, [m.fontBoundingBoxAscent - m.actualBoundingBoxAscent, m.fontBoundingBoxDescent - m.actualBoundingBoxDescent]);
    }
    return tall.get(key);
  }
  const seen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, p = node.parentElement, text = node.textContent.trim();
    if (!text || !visible(p) || p.closest("[hidden], script, style")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((r) => r.width && r.height);
    if (!lines.length) continue;
    const style = getComputedStyle(p), svg = p.closest("svg");
    let px = parseFloat(style.fontSize);
    if (svg && p.getScreenCTM) { const m = p.getScreenCTM(); px *= Math.hypot(m.a, m.b); }
    if (px < floor - 0.05) out.add(`SMALL ${px.toFixed(1)} < ${floor.toFixed(1)}: ${say(node)}`);
    const [over, under] = ink(text, style, px);
    const home = p.closest(".slot, .head, .lost"), part = p.closest(".tile, .strip, .alarm, .rows, .lost, .head, .chip");
    for (const line of lines) {
      const r = {left: line.left, right: line.right, top: line.top + over, bottom: line.bottom - under};
      for (let e = p; e && e !== document.body; e = e.parentElement) {
        const s = getComputedStyle(e), b = e.getBoundingClientRect();
        if (s.overflowX === "visible" && s.overflowY === "visible") continue;
        if (s.textOverflow === "ellipsis" || s.webkitLineClamp !== "none") {
          const cut = r.right > b.right + 1 || (s.webkitLineClamp !== "none" && r.bottom > b.bottom + 1);
          const name = e.closest(".n, .un") && text.length > 24, longest = e.closest(".is-longest");
          if (cut && !cutAllowed && !name && !longest) out.add(`ELLIPSIS ${e.className}: ${say(node)}`);
          r.right = Math.min(r.right, b.right);
          if (s.webkitLineClamp !== "none") r.bottom = Math.min(r.bottom, b.bottom);
        }
        if (!inside(r, b, 1)) out.add(`CLIPPED by ${e.className}: ${say(node)}`);
      }
      if (r.right <= r.left || r.bottom <= r.top) continue;
      if (!inside(r, {left: 0, top: 0, right: W, bottom: H}, 1)) out.add(`OFF SCREEN: ${say(node)}`);
      for (const box of [part, home]) {
        if (box && !inside(r, box.getBoundingClientRect(), 1.5)) out.add(`OUT OF ${box.className}: ${say(node)}`);
      }
      const plot = p.closest(".day-line");
      if (plot && p.closest(".label") && r.right > plot.getBoundingClientRect().right + 1) out.add(`PAST THE PLOT: ${say(node)}`);
      seen.push({node, p, r});
    }
  }
  for (const e of document.querySelectorAll(".shape, .shaped")) {
    const b = e.getBoundingClientRect();
    if (!e.classList.contains("shape") || !b.width || !visible(e)) continue;
    if (!inside(b, {left: 0, top: 0, right: W, bottom: H}, 1)) out.add(`SHAPE OFF SCREEN: ${e.className}`);
    seen.push({node: e, p: e, r: b});
  }
  // A font's ascent and descent are rounded to whole pixels each: where a line has ten of them, that is one pixel of air.
  const air = H < 500 ? 1.1 : 0.5;
  for (let i = 0; i < seen.length; i++) for (let j = i + 1; j < seen.length; j++) {
    const a = seen[i], b = seen[j];
    if (a.node === b.node) continue;
    if (a.r.left + 1 < b.r.right && b.r.left + 1 < a.r.right && a.r.top + air < b.r.bottom && b.r.top + air < a.r.bottom) {
      out.add(`OVERLAP ${say(a.node)} | ${say(b.node)}`);
    }
  }
  const boxes = [...document.querySelectorAll(".head, .lost, .scene.is-shown > .slot, .tile, .rows, .strip, .alarm")]
    .filter((e) => e.getBoundingClientRect().width && visible(e));
  for (const e of boxes) {
    if (!inside(e.getBoundingClientRect(), {left: 0, top: 0, right: W, bottom: H}, 1)) out.add(`BOX OFF SCREEN ${e.className}`);
  }
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const a = boxes[i], b = boxes[j], x = a.getBoundingClientRect(), y = b.getBoundingClientRect();
    if (a.contains(b) || b.contains(a)) continue;
    if (x.left + 1 < y.right && y.left + 1 < x.right && x.top + 1 < y.bottom && y.top + 1 < x.bottom) {
      out.add(`BOXES OVERLAP ${a.className} | ${b.className}`);
    }
  }
  const root = document.scrollingElement;
  if (root.scrollWidth > W || root.scrollHeight > H || root.clientWidth < W) out.add("SCROLL BAR");
  for (const e of document.querySelectorAll("body *")) {
    const s = getComputedStyle(e);
    if (/auto|scroll/.test(s.overflowX + s.overflowY)) out.add(`MAY SCROLL ${e.tagName} ${e.className}`);
  }
  return [...out].sort();
}
