"""Statements of SQL as a span may show them: without values, whoever wrote them into the text.

Parameters never stand in the text; a literal does, if somebody composed it. So each literal and each comment goes:
https://opentelemetry.io/docs/specs/semconv/db/database-spans/#sanitization-of-dbquerytext
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg.sql import Composable

REMEMBERED = 1000  # distinct texts; Django writes a new one for each number of ids
LONGEST = 4096  # characters of a text that is looked at; what is beyond is not shown

# The first that matches wins: what is quoted is no comment, and what is commented is no quote.
_HIDDEN = re.compile(
    r"""
    (?P<name>"(?:[^"]|"")*")                      # an identifier: stays
  | (?P<parameter>%%|%\(\w+\)s|%s|\$\d+)          # stays
  | --[^\n]*|/\*.*?\*/                            # comments
  | \b[eE]'(?:[^'\\]|''|\\.)*'                    # a string with escapes
  | \b[uUbBxXnN]?&?'(?:[^']|'')*'                 # other strings
  | '(?:[^']|'')*'
  | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$               # a string in dollars
  | (?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b    # a number
    """,
    re.VERBOSE | re.DOTALL,
)
_UNFINISHED = re.compile(r"(?:'|\$\w*\$|/\*).*", re.DOTALL)  # cut off within, or never ended
# what it does, and to which table
_READS = r'SELECT\b(?:.*?\bFROM\s+"?(?P<read>[\w.]+))?'
_WRITES = r'(?P<verb>INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO)\s+"?(?P<written>[\w.]+)'
_VERB = re.compile(rf"\b(?:{_READS}|{_WRITES})", re.IGNORECASE | re.DOTALL)


class Statement(NamedTuple):
    """`text` without values, its first word, and a short name for many of its kind, such as `UPDATE warren_job`."""

    text: str
    operation: str
    summary: str


def shown(query: Any) -> Statement:
    """The statement as it may be shown; `query` is whatever psycopg takes."""
    if isinstance(query, Composable):
        query = query.as_string(None)
    if isinstance(query, bytes):
        query = query.decode(errors="replace")
    return _shown(query) if isinstance(query, str) else Statement("", "", type(query).__name__)


@lru_cache(maxsize=REMEMBERED)
def _shown(query: str) -> Statement:
    kept = _HIDDEN.sub(_kept, query[:LONGEST])
    text = _UNFINISHED.sub("?", kept)
    words = text.split(None, 1)
    operation = words[0].upper() if words else ""
    return Statement(text, operation, _summary(text) or operation)


def _kept(match: re.Match[str]) -> str:
    found = match.group()
    if match["name"] is not None or match["parameter"] is not None:
        return found
    return " " if found.startswith(("--", "/*")) else "?"


def _summary(text: str) -> str:
    found = _VERB.search(text)
    if found is None:
        return ""
    verb = found["verb"].split()[0].upper() if found["verb"] else "SELECT"
    return f"{verb} {found['written'] or found['read'] or ''}".rstrip()
