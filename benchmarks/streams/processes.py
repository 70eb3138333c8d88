"""What the processes of web use, as the kernel tells those beside them in the same container."""

import os
from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")
SERVER = b"gunicorn"
TICKS = os.sysconf("SC_CLK_TCK")
USER_TIME, SYSTEM_TIME = 11, 12  # fields of /proc/<pid>/stat behind the name: man 5 proc_pid_stat


def memory_mb() -> float:
    """Memory of all of them, shared pages counted once."""
    lines = [line for each in _servers() for line in (each / "smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def cpu_s() -> float:
    """Seconds of processor time since they started."""
    total = 0
    for each in _servers():
        fields = (each / "stat").read_text().rpartition(") ")[2].split()
        total += int(fields[USER_TIME]) + int(fields[SYSTEM_TIME])
    return total / TICKS


def _servers() -> Iterator[Path]:
    for each in PROC.glob("[0-9]*"):
        try:
            if SERVER in (each / "cmdline").read_bytes():
                yield each
        except FileNotFoundError:  # it has just ended
            continue
