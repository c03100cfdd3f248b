"""Every example wall in Chromium: nothing is cut, overlaps or leaves the screen, nothing is too small to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layouts.theme import SIZES as TEXT_SIZES
from tests.layouts.static_page import ONLY, PAGES, SIZES, document

pytestmark = pytest.mark.browser
SCALES = {"hd": 1, "uhd": 2, "tall": 1, "wide": 1}
CASES = [(name, size) for name in PAGES for size in SIZES if name in ONLY.get(size, PAGES)]

FAULTS = """(floor) => { const out = [], W = innerWidth, H = innerHeight;
 const visible = e => getComputedStyle(e).visibility !== 'hidden';
 const say = n => n.textContent.trim().slice(0, 40);
 const range = e => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
 const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), seen = [];
 while (walk.nextNode()) { const n = walk.currentNode, p = n.parentElement;
  if (!n.textContent.trim() || !visible(p) || p.closest('#live-words')) continue;
  const b = range(n); if (!b.width || !b.height) continue;
  let px = parseFloat(getComputedStyle(p).fontSize);
  if (p.getScreenCTM && p.closest('svg')) { const m = p.getScreenCTM(); px *= Math.hypot(m.a, m.b); }
  if (px < floor - .2) out.push('SMALL ' + px.toFixed(1) + ' ' + say(n));
  let right = b.right, left = b.left, top = b.top, bottom = b.bottom;
  for (let e = p; e && e !== document.body; e = e.parentElement) { const s = getComputedStyle(e);
   if (s.overflow === 'hidden' && s.textOverflow === 'ellipsis')
    right = Math.min(right, e.getBoundingClientRect().right);
   if (s.webkitLineClamp !== 'none') { bottom = Math.min(bottom, e.getBoundingClientRect().bottom); } }
  if (right > W + 1 || bottom > H + 1 || left < -1 || top < -1) out.push('OFF SCREEN ' + say(n));
  const box = p.closest('.tile,.strip,.alarm,.rows,.lost,.head,.chip');
  if (box) { const c = box.getBoundingClientRect(); 
   if (right > c.right + 1.5 || left < c.left - 1.5 || bottom > c.bottom + px * .2 || top < c.top - px * .2)
    out.push('OUT OF BOX ' + box.className + ': ' + say(n)); }
  const pad = px * .2; seen.push({n, x0: left + 1, x1: right - 1, y0: top + pad, y1: bottom - pad}); }
 for (let i = 0; i < seen.length; i++) for (let j = i + 1; j < seen.length; j++) { const a = seen[i], b = seen[j];
  if (a.n.parentElement.contains(b.n) && a.n.parentElement === b.n.parentElement) continue;
  if (a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1) out.push('OVERLAP ' + say(a.n) + ' | ' + say(b.n)); }
 for (const e of document.querySelectorAll('.tile,.rows,.strip,.alarm,.head,.lost,.slot')) {
  const b = e.getBoundingClientRect(), outside = b.right > W + 1 || b.bottom > H + 1 || b.left < -1 || b.top < -1;
  if (b.width && outside) out.push('BOX OFF SCREEN ' + e.className); }
 return out; }"""


def opened(browser: Any, tmp_path: Path, size: str, **chosen: Any) -> Any:
    """A page of Chromium with an example wall."""
    width, height, screen = SIZES[size]
    path = tmp_path / "wall.html"
    path.write_text(document(**{"screen": screen, **chosen}), encoding="utf-8")
    tab = browser.new_page(viewport={"width": width, "height": height})
    tab.goto(path.as_uri())
    tab.evaluate("() => document.fonts.ready.then(() => 0)")
    return tab


@pytest.mark.parametrize(("name", "size"), CASES)
def test_a_wall_can_be_read(browser: Any, tmp_path: Path, name: str, size: str) -> None:
    tab = opened(browser, tmp_path, size, **PAGES[name])
    faults = tab.evaluate(FAULTS, TEXT_SIZES["fs-min"] * SCALES[size])
    tab.close()
    assert faults == []


def test_without_the_typeface_nothing_breaks(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "wall.html"
    path.write_text(
        document(**PAGES["today"]).replace("<body", "<style>:root{--font: 'DejaVu Sans'}</style><body"),
        encoding="utf-8",
    )
    tab = browser.new_page(viewport={"width": 1920, "height": 1080})
    tab.goto(path.as_uri())
    boxes = tab.evaluate(
        "() => [...document.querySelectorAll('.tile')].map(e => e.getBoundingClientRect())"
        ".map(b => [b.right, b.bottom])"
    )
    tab.close()
    assert max(right for right, _ in boxes) <= 1920
    assert max(bottom for _, bottom in boxes) <= 1080


def figures_of(tab: Any) -> list[str]:
    """The colours of the key figures that are seen."""
    found: list[str] = tab.evaluate(
        "() => [...document.querySelectorAll('.scene.is-shown .fig:not(.in-words)')]"
        ".filter(e => e.getClientRects().length)"
        ".map(e => getComputedStyle(e).color)"
    )
    return found


@pytest.mark.parametrize("name", ["lost", "out", "by-clock"])
def test_a_stale_or_frozen_figure_is_never_white(browser: Any, tmp_path: Path, name: str) -> None:
    tab = opened(browser, tmp_path, "hd", **PAGES[name])
    colours = figures_of(tab)
    tab.close()
    assert set(colours) == {"rgb(192, 203, 213)"}


def test_stale_by_the_browsers_clock_looks_as_stale_by_the_servers_word(browser: Any, tmp_path: Path) -> None:
    look = (
        "() => ['border', 'backgroundImage']"
        ".map(k => getComputedStyle(document.querySelector('#received_today--tile'))[k])"
        ".concat([...document.querySelectorAll('#received_today--tile > *')].map(e => getComputedStyle(e).display))"
    )
    server = opened(browser, tmp_path, "hd", **PAGES["out"])
    said = server.evaluate(look)
    server.close()
    clock = opened(browser, tmp_path, "hd", **PAGES["by-clock"])
    counted = clock.evaluate(look)
    clock.close()
    assert counted == said


def test_the_standard_is_at_one_place_in_every_row(browser: Any, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, "hd", **PAGES["agencies"])
    places = tab.evaluate(
        "() => [...document.querySelectorAll('[data-page=\"1\"] .standard')]"
        ".map(e => Math.round(e.getBoundingClientRect().left))"
    )
    tab.close()
    assert len(places) == 6
    assert len(set(places)) == 1
