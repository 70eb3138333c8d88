"""Which combinations of components k8s/README.md names: the items of its list that are `one` + `two` + …"""

import re

from tests.check.k8s.builds import K8S

COMBINATION = re.compile(r"^- ((?:`[a-z0-9-]+`)(?:\s+\+ `[a-z0-9-]+`)*)", re.MULTILINE)


def combinations(page: str | None = None) -> list[tuple[str, ...]]:
    """In the order of the page."""
    found = COMBINATION.findall((K8S / "README.md").read_text() if page is None else page)
    return [tuple(re.findall(r"`([a-z0-9-]+)`", line)) for line in found]
