"""Server-Sent Events as text: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import random
from typing import Any

from django.http import HttpResponse

from warren.jobs.live.follower import Event, Kind
from warren.jobs.live.snapshots import Snapshot

MEDIA_TYPE = "text/event-stream"
HEADERS = {
    "Cache-Control": "no-store, no-transform",  # a proxy that compresses holds events back
    "X-Accel-Buffering": "no",  # nginx' word for the same
}
# Proxies cut what is silent; common limits are 30 s and 60 s.
KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b":\n\n"

# How long a reader waits before it opens the next stream; spread, or all come at once when a server has restarted.
RETRY_MS = (1000, 4000)


def write(event: Event) -> bytes:
    """One event; nothing for an end that nobody reads."""
    if event.snapshot is not None:
        return f"event: {event.kind}\nid: {event.snapshot.version}\ndata: {event.snapshot.text}\n\n".encode()
    if event.kind is Kind.LEFT:
        return b""
    again = retry() if event.kind is Kind.RECONNECT else b""
    return again + f"event: {event.kind}\ndata: {{}}\n\n".encode()


def retry() -> bytes:
    """How long to wait before the stream is opened again."""
    return f"retry: {random.randint(*RETRY_MS)}\n".encode()  # noqa: S311  no secret


def opening(snapshot: Snapshot | None, *, seen: str) -> bytes:
    """How the stream of one job begins, which is all of it if the job has ended; of a list, without a job."""
    events = [Event(Kind.JOB, snapshot)] if snapshot and snapshot.version != seen else []
    if snapshot and snapshot.is_final:
        events.append(Event(Kind.END))
    return retry() + b"\n" + b"".join(write(event) for event in events)


def response(content: bytes, **options: Any) -> HttpResponse:
    """An answer that is a stream's beginning."""
    return HttpResponse(content, content_type=MEDIA_TYPE, headers=HEADERS, **options)
