"""A line of numbers as an SVG path: drawn here, so that the page needs no script for it."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 120, 30


@dataclass(frozen=True, kw_only=True)
class Sparkline:
    """`line` and `area` are paths in a box of `WIDTH` by `HEIGHT`; `words` say the same for those who do not see it."""

    line: str
    area: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT


def draw(numbers: Sequence[int], *, what: str) -> Sparkline:
    """The drawing; two numbers at least, or a flat line is drawn."""
    values = list(numbers) if len(numbers) > 1 else [0, 0]
    top = max(*values, 1)
    step = WIDTH / (len(values) - 1)
    points = [
        f"{number * step:.1f} {HEIGHT - 1 - value / top * (HEIGHT - 3):.1f}" for number, value in enumerate(values)
    ]
    line = f"M{'L'.join(points)}"
    words = f"{what}, oldest first: {', '.join(map(str, values))}"
    return Sparkline(line=line, area=f"{line}V{HEIGHT}H0Z", words=words)
