"""Draws a family of jobs: whatever came first stands left, each step further one column on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from warren.dashboard.family import Relative
from warren.dashboard.wording import tone

WIDTH, HEIGHT = 190, 46  # of a box
GAP_X, GAP_Y = 46, 14
MARGIN = 6
LONGEST_NAME = 24  # characters that fit a box
SENT_LATER = "not sent yet"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A job in the drawing; its corner. `x` and `y` count from the top left, in pixels."""

    id: str
    name: str
    task: str
    state: str
    tone: str
    is_here: bool
    is_sent: bool
    x: int
    y: int

    @property
    def text_x(self) -> int:
        return self.x + 26

    @property
    def name_y(self) -> int:
        return self.y + 20

    @property
    def state_y(self) -> int:
        return self.y + 36

    @property
    def dot_x(self) -> int:
        return self.x + 14

    @property
    def dot_y(self) -> int:
        return self.y + HEIGHT // 2


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Boxes, the lines between them as SVG paths, and the size of it all."""

    boxes: list[Box]
    lines: list[str]
    width: int
    height: int
    box_width: int = WIDTH
    box_height: int = HEIGHT


def draw(relatives: Iterable[Relative], *, here: str) -> Drawing:
    """The drawing; `here` is the job whose page it stands on."""
    known = {each.id: each for each in relatives}
    columns = _columns(known)
    places: dict[str, tuple[int, int]] = {}
    for column, ids in enumerate(columns):
        for row, job_id in enumerate(ids):
            places[job_id] = (MARGIN + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
    boxes = [_box(known[job_id], x=x, y=y, here=here) for job_id, (x, y) in places.items()]
    lines = [
        _line(places[before], places[each.id])
        for each in known.values()
        for before in sorted(each.after & known.keys())
    ]
    rows = max(map(len, columns), default=0)
    return Drawing(
        boxes=boxes,
        lines=lines,
        width=2 * MARGIN + len(columns) * (WIDTH + GAP_X) - GAP_X,
        height=2 * MARGIN + rows * (HEIGHT + GAP_Y) - GAP_Y,
    )


def _columns(known: Mapping[str, Relative]) -> list[list[str]]:
    """Ids by how many steps they are from a job that came from none of these."""
    depths = dict.fromkeys(known, 0)
    for _ in known:  # the longest way has no more steps; and what refers to itself in a circle ends
        changed = False
        for each in known.values():
            depth = max((depths[before] + 1 for before in each.after & known.keys()), default=0)
            if depths[each.id] < depth < len(known):
                depths[each.id], changed = depth, True
        if not changed:
            break
    columns: list[list[str]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for job_id, depth in depths.items():
        columns[depth].append(job_id)
    return [column for column in columns if column]


def _box(relative: Relative, *, x: int, y: int, here: str) -> Box:
    name = relative.task or relative.id
    return Box(
        id=relative.id,
        name=name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}",
        task=name,
        state=relative.state or SENT_LATER,
        tone=tone(relative.state) if relative.state else "waits",
        is_here=relative.id == here,
        is_sent=bool(relative.state),
        x=x,
        y=y,
    )


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + WIDTH, start[1] + HEIGHT // 2
    x2, y2 = end[0], end[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
