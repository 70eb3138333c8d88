"""Every pair of colours that stand on each other can be read in both themes, as WCAG AA asks."""

import re
from pathlib import Path

import pytest

STYLE = Path(__file__).parent / "static/dashboard/dashboard.css"
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE.read_text())
}
TEXT, EDGE = 4.5, 3.0
PAIRS = [
    *((ink, ground, TEXT) for ink in ("ink", "muted", "accent") for ground in ("ground", "surface", "sunk")),
    *((tone, f"{tone}-ground", TEXT) for tone in ("good", "bad", "warn", "run", "wait")),
    ("on-accent", "accent", TEXT),
    ("accent", "run-ground", TEXT),
    ("bad", "surface", TEXT),
    ("edge", "surface", EDGE),
]


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_it_can_be_read(front: str, back: str, least: float, theme: int) -> None:
    assert _contrast(COLOURS[front][theme], COLOURS[back][theme]) >= least


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
