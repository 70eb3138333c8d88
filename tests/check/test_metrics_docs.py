"""docs/how-to/metrics.md has each metric that Warren declares, as it is, and no other."""

import re
from pathlib import Path

from tests.check import metric_names

PAGE = Path(__file__).parents[2] / "docs/how-to/metrics.md"
ROW = re.compile(r"^\| `(warren_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)


def test_the_table_has_each_metric_with_its_type_and_labels() -> None:
    told = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(PAGE.read_text())}

    assert told == {name: (each.kind, set(each.labels)) for name, each in metric_names.declared().items()}


def test_no_label_is_of_unbounded_values() -> None:
    """A job's id, an address or an error's text would make a new series for each job."""
    bounded = {"task", "queue", "state", "lease", "due"}

    assert {label for each in metric_names.declared().values() for label in each.labels} <= bounded
