"""What processes that are gone have counted: added up, so that their files go too.

prometheus_client leaves the files of a process for ever: a prefork worker replaces its children, so in a day there
would be thousands, in a memory file system whose end kills whoever writes next. Counters and histograms of the gone are
added to one file for each kind; their gauges told how things stood with them, and are dropped.

    whoever does this dies   within the same container its files are those of a gone process, too

Owner: the process that serves `/metrics`, under the lock of `exposition.py`.
"""

import os
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

GONE = "gone"  # in place of the process id, in the names of the files of sums


def fold(folder: Path) -> None:
    """Fold in the files of all processes that live no more."""
    for path in sorted(folder.glob("*.db")):
        kind, _, pid = path.stem.rpartition("_")
        if pid != GONE and not _lives(int(pid)):
            if not kind.startswith("gauge"):
                _add(path, to=folder / f"{kind}_{GONE}.db")
            path.unlink()


def _add(path: Path, *, to: Path) -> None:
    sums = MmapedDict(str(to))
    try:
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(path)):
            sums.write_value(key, sums.read_value(key)[0] + value, timestamp)
    finally:
        sums.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True
