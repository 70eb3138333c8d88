"""A task message as it waits in its job's row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """Where a message goes, its AMQP headers and properties, and its body: Celery's protocol 2, as JSON text."""

    exchange: str
    routing_key: str
    headers: Mapping[str, Any]
    properties: Mapping[str, Any]
    body: str

    @classmethod
    def from_json(cls, text: str, *, arguments: str) -> Self:
        """Undo `to_json`; `arguments` are the body's first two parts, which the job keeps apart."""
        stored = json.loads(text)
        embed = json.dumps(stored.pop("embed"))
        return cls(**stored, body=f"{arguments[:-1]}, {embed}]")

    def to_json(self) -> tuple[str, str]:
        """The message without its arguments, and the arguments: `[args, kwargs]`."""
        args, kwargs, embed = json.loads(self.body)
        stored = {
            "exchange": self.exchange,
            "routing_key": self.routing_key,
            "headers": dict(self.headers),
            "properties": dict(self.properties),
            "embed": embed,
        }
        return json.dumps(stored), json.dumps([args, kwargs])


def restarted(text: str, *, expires: bool) -> str:
    """The stored message as at its first attempt: all of Celery's retries ahead; whether it still expires."""
    stored = json.loads(text)
    stored["headers"] |= {"retries": 0} | ({} if expires else {"expires": None})
    return json.dumps(stored)
