// Every text that is seen: the size the browser computed against the one that `check` says, found by the cascade of its own
// rules (specificity, then place); and for whom it is. Sizes in pixels of a 1080p wall.
({classes, readers, pixel}) => {
  const wrong = new Set(), shown = (m) => !m || matchMedia(m).matches;
  function specificity(selector) {
    let ids = 0, names = 0, tags = 0, rest = selector;
    for (let before = ""; before !== rest;) {
      before = rest;
      rest = rest.replace(/:(?:is|not)\(([^()]*)\)/, (_, inside) => {
        const most = inside.split(",").map((each) => specificity(each.trim())).sort().pop();
        ids += most[0]; names += most[1]; tags += most[2];
        return "";
      });
    }
    rest = rest.replace(/::[\w-]+/g, () => { tags += 1; return ""; });
    ids += (rest.match(/#[\w-]+/g) ?? []).length;
    names += (rest.match(/\.[\w-]+|\[[^\]]*\]|:[\w-]+/g) ?? []).length;
    tags += (rest.replace(/[.#:][\w-]+|\[[^\]]*\]/g, " ").match(/[a-z]\w*/gi) ?? []).length;
    return [ids, names, tags];
  }
  const rank = (rule, at) => ({...rule, at, weight: specificity(rule.selector)});
  const sized = classes.map(rank).filter((rule) => shown(rule.media) && !rule.selector.includes("::"));
  const read = readers.map(rank).filter((rule) => shown(rule.media));
  const heavier = (a, b) => a.weight[0] - b.weight[0] || a.weight[1] - b.weight[1] || a.weight[2] - b.weight[2] || a.at - b.at;
  const own = (e, rules) => rules.filter((rule) => e.matches(rule.selector)).sort(heavier).pop();
  function said(element, rules) {
    for (let e = element; e; e = e.parentElement) { const found = own(e, rules); if (found) return found; }
    return null;
  }
  let texts = 0, far = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const p = walk.currentNode.parentElement, text = walk.currentNode.textContent.trim();
    if (!text || p.closest("[hidden], script, style") || getComputedStyle(p).visibility === "hidden" || !p.getClientRects().length) continue;
    texts += 1;
    const style = getComputedStyle(p), rule = said(p, sized), inside = p.closest("svg");
    let px = parseFloat(style.fontSize);
    if (inside && p.getScreenCTM) { const m = p.getScreenCTM(); px *= Math.hypot(m.a, m.b); }
    const measured = px / pixel;
    // a size in em is computed for its smallest place; a drawing may be shown larger than it was drawn
    const good = rule && (rule.relative || inside ? measured >= rule.pixels - 0.05 : Math.abs(measured - rule.pixels) <= 0.05);
    if (!good) wrong.add(`${text.slice(0, 30)}: ${measured.toFixed(2)} px, ${rule?.selector} says ${rule?.pixels}`);
    const reader = style.getPropertyValue("--read").split(" ")[0] || "near", expected = said(p, read)?.reader ?? "near";
    if (reader !== expected) wrong.add(`${text.slice(0, 30)}: ${reader}, the sheets say ${expected}`);
    const small = rule && /\.is-long/.test(rule.selector);
    if (reader === "far" && !small) far += 1;
  }
  return {wrong: [...wrong].sort(), texts, far};
}
