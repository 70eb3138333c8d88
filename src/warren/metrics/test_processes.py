"""Several processes count, one serves: as in web and in a prefork worker."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from warren.metrics import departed

# The children count as they are told and wait to be killed; {ask} is run when all have counted.
_FAMILY = """
import json, os, signal, sys, time
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families
from warren.metrics.exposition import Exposition
from warren.metrics.tally import Tally

counted = Counter("family_counted", "c", ["who"])
lasted = Histogram("family_lasted_seconds", "h", buckets=(1.0, 10.0))
level = Gauge("family_level", "g", multiprocess_mode="livesum")
exposition = Exposition()
counted.labels("parent").inc()

def child(seconds):
    counted.labels("child").inc(2)
    lasted.observe(seconds)
    level.set(5)
    os.write(told, b".")
    time.sleep(60)

def fork(seconds):
    pid = os.fork()
    if not pid:
        child(seconds)
        os._exit(0)
    os.read(heard, 1)
    return pid

def end(pid):
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

def look():
    text = exposition.render("")[0].decode()
    return {{
        sample.name + "".join(sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text) for sample in family.samples
    }}

heard, told = os.pipe()
{body}
print(json.dumps([looks, sorted(os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"])), os.getpid()]))
"""


def _family(folder: Path, body: str) -> tuple[list[dict[str, float]], list[str], int]:
    """Run it; returns what was seen at each look, the files that there are at the end, and the parent's id."""
    told = subprocess.run(  # noqa: S603  a command of our own
        [sys.executable, "-c", _FAMILY.format(body=body)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PROMETHEUS_MULTIPROC_DIR": str(folder), "PYTHONPATH": ":".join(sys.path)},
    )
    looks, files, pid = json.loads(told.stdout)
    return looks, files, pid


def test_it_adds_up_what_all_of_them_count(tmp_path: Path) -> None:
    ((look,), _, _) = _family(tmp_path, "pids = [fork(0.5), fork(5)]; looks = [look()]; [end(pid) for pid in pids]")

    assert look["family_counted_totalparent"] == 1
    assert look["family_counted_totalchild"] == 4
    assert look["family_lasted_seconds_bucket1.0"] == 1
    assert look["family_lasted_seconds_count"] == 2
    assert look["family_lasted_seconds_sum"] == 5.5
    assert look["family_level"] == 10


def test_it_keeps_the_counts_and_drops_the_gauges_of_the_dead(tmp_path: Path) -> None:
    (looks, files, parent) = _family(
        tmp_path,
        "pids = [fork(0.5), fork(5)]; before = look(); end(pids[0]); looks = [before, look()]; end(pids[1]); "
        "looks.append(look()); looks.append(look())",
    )
    before, one_is_gone, both_are_gone, again = looks

    for name in ("family_counted_totalchild", "family_lasted_seconds_count", "family_lasted_seconds_bucket1.0"):
        assert before[name] == one_is_gone[name] == both_are_gone[name] == again[name], name
    assert one_is_gone["family_level"] == 5
    assert both_are_gone.get("family_level", 0) == 0
    assert {name for name in files if name.startswith(("counter", "histogram"))} == {
        f"counter_{parent}.db",
        "counter_gone.db",
        f"histogram_{parent}.db",
        "histogram_gone.db",
    }


def test_the_folder_stays_small_when_many_come_and_go(tmp_path: Path) -> None:
    (looks, files, _) = _family(
        tmp_path, "for _ in range(40):\n    end(fork(0.5))\n    exposition.tidy()\nlooks = [look()]"
    )

    assert looks[0]["family_counted_totalchild"] == 80
    assert looks[0]["family_lasted_seconds_count"] == 40
    assert len(files) <= 6


def test_it_leaves_the_files_of_the_living_alone(tmp_path: Path) -> None:
    ours = tmp_path / "counter_1.db"  # the process that is always there
    _write(ours, 1.0)

    departed.fold(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["counter_1.db"]


@pytest.mark.parametrize("times", [1, 2])
def test_it_adds_to_what_others_left_before(tmp_path: Path, times: int) -> None:
    for _ in range(times):
        _write(tmp_path / f"counter_{_dead()}.db", 3.0)
        departed.fold(tmp_path)

    (family,) = MultiProcessCollector.merge([str(tmp_path / "counter_gone.db")])
    assert [sample.value for sample in family.samples] == [3.0 * times]


def _write(path: Path, value: float) -> None:
    made = MmapedDict(str(path))
    made.write_value(mmap_key("left", "left_total", [], [], "Of a test."), value, 0.0)
    made.close()


def _dead() -> int:
    """The id of a process that is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return gone.pid
