"""Sampled stacks, summed up: which functions a process' CPU time is in."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

SHOWN = 30
PER_SECOND = 200  # samples, as profiler/record takes them
NAME_LENGTH = 70
_PACKAGES = "/site-packages/"


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """The samples of one process; `own` counts a function where it was running, `total` also where it had called."""

    process: str
    samples: int
    own: Counter[str]
    total: Counter[str]


def read(raw: str) -> list[Sampled]:
    """Read what `py-spy record --format raw --subprocesses` writes: `frame;frame;… count`, the outermost first."""
    by_process: dict[str, list[tuple[list[str], int]]] = {}
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        if not count.isdecimal():
            continue
        frames = [_short(frame) for frame in stack.split(";")]
        # a child's stack begins with its ancestors' processes
        processes = list(takewhile(lambda frame: frame.startswith("process "), frames))
        name = processes[-1] if processes else "process"
        by_process.setdefault(name, []).append((frames[len(processes) :], int(count)))
    return [_summed(name, stacks) for name, stacks in by_process.items()]


def text(sampled: Sampled) -> str:
    """Two columns of percentages: of the samples of this process."""
    lines = [f"{sampled.process[:NAME_LENGTH]}: {sampled.samples / PER_SECOND:.2f} s of CPU time sampled"]
    for title, counts in (("in the function itself", sampled.own), ("with what it calls", sampled.total)):
        lines.append(f"  {title}:")
        lines += [f"    {100 * count / sampled.samples:5.1f} %  {name}" for name, count in counts.most_common(SHOWN)]
    return "\n".join(lines)


def _summed(process: str, stacks: Iterable[tuple[list[str], int]]) -> Sampled:
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    samples = 0
    for frames, count in stacks:
        samples += count
        if frames:
            own[frames[-1]] += count
            total.update(dict.fromkeys(frames, count))
    return Sampled(process=process, samples=samples, own=own, total=total)


def _short(frame: str) -> str:
    """Without the path to the packages, and without the line: `run (/x/site-packages/a/b.py:7)` is `run (a/b.py)`."""
    function, _, place = frame.partition(" (")
    if not place or frame.startswith("process "):
        return frame
    path = place.rstrip(")").rpartition(":")[0] or place.rstrip(")")
    return f"{function} ({path.rpartition(_PACKAGES)[2] or path})"
