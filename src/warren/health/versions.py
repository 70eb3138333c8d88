"""Which versions this process runs."""

import platform
from functools import cache
from importlib import metadata

# what the two sides of a message, or of a row, should agree on; librabbitmq is in one image only
PACKAGES = ("django", "celery", "kombu", "amqp", "psycopg", "redis", "librabbitmq-fork")


@cache
def here() -> dict[str, str]:
    """Version by name, Python's included; what is not installed is left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
