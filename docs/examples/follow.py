"""Follow a job from Python: `python follow.py http://127.0.0.1:8000 TOKEN JOB_ID [--websocket]`.

Needs httpx for Server-Sent Events, websockets for the other. Both come again by themselves when the server restarts.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import connect

FINAL = {"succeeded", "failed", "cancelled", "expired", "dead"}
# the server says something every 15 s; longer silence is a dead connection
SILENCE_S = 45.0
SECOND_TRY_S = 1.0
LONGEST_PAUSE_S = 30.0


def by_events(base_url: str, *, token: str, job_id: str) -> Iterator[dict[str, Any]]:
    """The job as it is now and whenever it changes, until it has ended. Raises `httpx.HTTPStatusError`."""
    headers = {"Authorization": f"Token {token}", "Accept": "text/event-stream"}
    pause_s = SECOND_TRY_S
    while True:
        try:
            with httpx.stream(
                "GET", f"{base_url}/api/jobs/{_part(job_id)}/events/", headers=headers, timeout=SILENCE_S
            ) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:  # we have seen the end
                    return
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    answer.raise_for_status()
                for event in _events(answer):
                    if event["event"] == "end":
                        return
                    if event["event"] == "job":
                        pause_s, headers["Last-Event-ID"] = SECOND_TRY_S, event["id"]
                        yield json.loads(event["data"])
        except httpx.TransportError:
            pass
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  spread, lest all come at once
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def by_websocket(base_url: str, *, token: str, job_id: str) -> Iterator[dict[str, Any]]:
    """The same by WebSocket. Raises `ConnectionClosed` with a reason for what will not get better."""
    address = f"{base_url.replace('http', 'ws', 1)}/ws/tasks/{_part(job_id)}/"
    headers = {"Authorization": f"Token {token}"}
    pause_s = SECOND_TRY_S
    while True:
        try:
            with connect(address, additional_headers=headers) as socket:
                while True:
                    job = json.loads(socket.recv(timeout=SILENCE_S))
                    pause_s = SECOND_TRY_S
                    yield job
                    if job["state"] in FINAL:
                        return
        except InvalidStatus as exc:
            if exc.response.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                raise
        except ConnectionClosed as exc:
            # 4404, 4429: it is no use to come again
            if exc.rcvd is not None and exc.rcvd.code in range(4000, 5000):
                raise
        except (InvalidMessage, OSError):  # closed in the handshake; silence is a TimeoutError, which is an OSError
            pass
        time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311  spread, lest all come at once
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _part(job_id: str) -> str:
    """A job's id as a part of an address. Other programs name their jobs as they like, `orders/42` or `..`."""
    vanishes = job_id in {"", ".", ".."}
    return quote(f"~{job_id}" if vanishes else job_id.replace("~", "~0").replace("/", "~1"), safe="")


def _events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """The fields of each event; a line that begins with a colon only keeps the connection."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line and not line.startswith(":"):
            event[name] = value
        elif not line:
            if "event" in event:
                yield event
            event = {}


def main() -> None:
    """Print each state until the job has ended."""
    parser = argparse.ArgumentParser(description="Follow a job.")
    parser.add_argument("base_url")
    parser.add_argument("token")
    parser.add_argument("job_id")
    parser.add_argument("--websocket", action="store_true")
    given = parser.parse_args()
    way = by_websocket if given.websocket else by_events
    for job in way(given.base_url, token=given.token, job_id=given.job_id):
        told = job["state"], job["progress"] and job["progress"]["meta"], job["error"] and job["error"]["message"]
        sys.stdout.write(" ".join(str(each) for each in told if each) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
