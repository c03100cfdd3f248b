"""How far two colours are from each other, also for eyes that confuse red and green.

Simulation: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based Model for Simulation of Color Vision
Deficiency", IEEE Transactions on Visualization and Computer Graphics 15 (6), 2009, 1291-1298: the published matrices of
severity 1.0 (protanopia, deuteranopia), applied to linear RGB. Distance: CIE 1976 ΔE*ab, D65; about 2.3 is one just
noticeable difference (M. Mahy, L. Van Eycken, A. Oosterlinck, Color Research and Application 19 (2), 1994, 105-121).
"""

from __future__ import annotations

from math import cbrt, dist

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

EYES: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
}
"""Kind of eye → linear RGB as it sees it."""
_XYZ: Matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE: Triple = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> Triple:
    """Linear RGB, 0 to 1, of ``#rrggbb`` (sRGB, IEC 61966-2-1)."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _times(matrix: Matrix, colour: Triple) -> Triple:
    red, green, blue = (sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in matrix)
    return red, green, blue


def lab(colour: str, eye: str = "normal") -> Triple:
    """CIE L*a*b* of ``#rrggbb`` as a kind of eye sees it. Raises ``KeyError`` for an unknown kind."""
    seen = _times(EYES[eye], linear(colour))
    red, green, blue = (min(max(part, 0.0), 1.0) for part in seen)
    x, y, z = (_f(part / white) for part, white in zip(_times(_XYZ, (red, green, blue)), _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _f(share: float) -> float:
    return cbrt(share) if share > (6 / 29) ** 3 else share / (3 * (6 / 29) ** 2) + 4 / 29


def distance(one: str, other: str, eye: str = "normal") -> float:
    """ΔE*ab of two colours ``#rrggbb`` as a kind of eye sees them.

    >>> round(distance("#f6c444", "#ff7a66"))
    56
    """
    return dist(lab(one, eye), lab(other, eye))


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours ``#rrggbb`` (WCAG 2.2, 1 to 21).

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
