"""A task message as it waits in its job's row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Where a message goes, its AMQP headers and properties, and its body: Celery's protocol 2, as JSON text.

    Of the body the job keeps `arguments`, `[args, kwargs]`, apart; `embed` is the rest: callbacks, chain, chord.
    """

    exchange: str
    routing_key: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    arguments: str
    embed: str

    @property
    def body(self) -> str:
        """What goes over the wire: `[args, kwargs, embed]`."""
        return f"{self.arguments[:-1]}, {self.embed}]"

    @classmethod
    def from_json(cls, text: str, *, arguments: str) -> Self:
        """Undo `to_json`."""
        stored = json.loads(text)
        embed = json.dumps(stored.pop("embed"))
        return cls(**stored, arguments=arguments, embed=embed)

    def to_json(self) -> str:
        """All but the arguments."""
        stored = {
            "exchange": self.exchange,
            "routing_key": self.routing_key,
            "headers": self.headers,
            "properties": self.properties,
        }
        return f'{json.dumps(stored)[:-1]}, "embed": {self.embed}}}'


def restarted(text: str, *, expires: bool) -> str:
    """The stored message as at its first attempt: all of Celery's retries ahead; whether it still expires."""
    stored = json.loads(text)
    stored["headers"] |= {"retries": 0} | ({} if expires else {"expires": None})
    return json.dumps(stored)
