"""What a service tells Prometheus, asked from inside its container: the port is not published."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from tests.stack.stack import Stack

PORT = 9464

_ASK = """
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9464/metrics", timeout=20).read().decode())
"""

type Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def of(stack: Stack, service: str) -> Samples:
    """All samples: by name and labels, the value."""
    text = stack.execute(service, "python", "-c", _ASK)
    families = text_string_to_metric_families(text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample's value; 0 of one that is not there yet."""
    return samples.get((name, frozenset(labels.items())), 0.0)
