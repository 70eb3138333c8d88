"""A job's id as a part of an address. `apps.py` gives it to Django's routes, as `<job:…>`.

Warren's own ids stand there as they are. But a foreign Celery producer may have called its job anything, and what is
adopted must be reachable too, and must never break a list in which it stands. So the address escapes as JSON pointers
do (RFC 6901): `~1` is a slash, `~0` is `~`; and a `~` in front of an id that would vanish from the address.
"""

from django.urls.converters import StringConverter

_VANISH = ("", ".", "..")
_ESCAPE = "~"


class JobIdConverter(StringConverter):
    """Every text to a part of an address, and back."""

    def to_python(self, value: str) -> str:
        if value.startswith(_ESCAPE) and value[1:] in _VANISH:
            return value[1:]
        return value.replace("~1", "/").replace("~0", _ESCAPE)

    def to_url(self, value: str) -> str:
        if value in _VANISH:
            return f"{_ESCAPE}{value}"
        return value.replace(_ESCAPE, "~0").replace("/", "~1")
