"""Which combinations of components k8s/README.md names: the lines of its list that are `one` + `two` + …"""

import re

from tests.check.k8s.builds import K8S

COMBINATION = re.compile(r"^- ((?:`[a-z0-9-]+`)(?: \+ `[a-z0-9-]+`)*)", re.MULTILINE)


def combinations() -> list[tuple[str, ...]]:
    """In the order of the page."""
    found = COMBINATION.findall((K8S / "README.md").read_text())
    return [tuple(re.findall(r"`([a-z0-9-]+)`", line)) for line in found]
