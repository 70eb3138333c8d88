"""Submits additions through the Service from /tmp/go to /tmp/stop, then asks for each one's end: `ledger.py ADDRESS`.

A submission that is not answered, or refused with 5xx, is sent again with the same Idempotency-Key, so that what is
accepted is known for certain. Meanwhile reminders become due, whose mails a transactional task makes. Ends well if

    lost          every accepted job succeeded with its own sum, and the API was never away for half a minute
    accepted once there is one job for each addition, however often it was sent
    effects once  there is one mail for each reminder, however often the task that makes them was begun anew

Runs in web's image, with the standard library alone.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

GO, STOP = Path("/tmp/go"), Path("/tmp/stop")  # noqa: S108  the pod's own memory, where k8s/host/verify touches them
LONGEST_WAIT_S = 1800.0
PAUSE_S = 0.05
LONGEST_REFUSAL_S = 30.0  # a rolling restart should cost no request; one that costs half a minute is an outage
LONGEST_END_S = 600.0
REMINDERS = 20  # as many as one person gets in a day
BETWEEN_REMINDERS = timedelta(seconds=10)  # so that they become due all through the rollouts
LATEST_TICK_S = 240.0  # after the last one is due: a tick a minute, and one may have been missed
FINAL = {"succeeded", "failed", "cancelled", "expired", "dead"}


def main(address: str) -> int:
    """Returns how many things were wrong."""
    token = _log_in(address)
    _wait_for(GO)
    last_due = _remind(address, token)
    accepted, refused = _submit(address, token)
    wrong = _settle(address, token, accepted)
    wrong += _not_once(_jobs(address, token, "arithmetic.add"), wanted=accepted)
    mails = _mails(address, token, deadline=time.monotonic() + (last_due - _now()).total_seconds() + LATEST_TICK_S)
    if mails != REMINDERS:
        wrong.append(f"{mails} mails of {REMINDERS} reminders")
    print(f"{len(accepted)} accepted, {refused} answers refused and asked again, {mails} mails, {len(wrong)} wrong")
    for each in wrong[:20]:
        print(f"  {each}")
    return len(wrong)


def _log_in(address: str) -> str:
    password = Path(os.environ["ADMIN_PASSWORD_FILE"]).read_text().strip()
    login = {"email": os.environ["ADMIN_EMAIL"], "password": password}
    answer, _ = _insist(f"{address}/api/token/", login, {}, longest_s=600)
    return str(answer["token"])


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + LONGEST_WAIT_S
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody has made {path}")
        time.sleep(PAUSE_S)


def _remind(address: str, token: str) -> datetime:
    """When the last one is due."""
    headers, now = {"Authorization": f"Token {token}"}, _now()
    for number in range(1, REMINDERS + 1):
        due = (now + number * BETWEEN_REMINDERS).replace(tzinfo=None, microsecond=0)
        # the same one, sent again while it is active, is the first one
        reminder = {"text": f"reminder {number}", "at": due.isoformat(), "time_zone": "UTC"}
        _insist(f"{address}/api/reminders/", reminder, headers, longest_s=LONGEST_REFUSAL_S)
    return now + REMINDERS * BETWEEN_REMINDERS


def _submit(address: str, token: str) -> tuple[dict[str, int], int]:
    accepted: dict[str, int] = {}
    refused = number = 0
    while not STOP.exists():
        number += 1
        headers = {"Authorization": f"Token {token}", "Idempotency-Key": str(uuid4())}
        job = {"task": "arithmetic.add", "args": [number, 1]}
        answer, tries = _insist(f"{address}/api/jobs/", job, headers, longest_s=LONGEST_REFUSAL_S)
        accepted[answer["id"]] = number + 1
        refused += tries
        time.sleep(PAUSE_S)
    return accepted, refused


def _settle(address: str, token: str, accepted: dict[str, int]) -> list[str]:
    wrong = []
    deadline = time.monotonic() + LONGEST_END_S
    for job_id, wanted in accepted.items():
        while True:
            url, headers = f"{address}/api/jobs/{job_id}/", {"Authorization": f"Token {token}"}
            job, _ = _insist(url, None, headers, longest_s=LONGEST_REFUSAL_S)
            if job["state"] in FINAL or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_S)
        if (job["state"], job.get("result")) != ("succeeded", wanted):
            wrong.append(f"{job_id}: {job['state']}, {job.get('result')!r} instead of {wanted}")
    return wrong


def _mails(address: str, token: str, *, deadline: float) -> int:
    """How many there are when as many are there as should be, or never will."""
    while True:
        found = len(_jobs(address, token, "reminders.send_reminder"))
        if found >= REMINDERS or time.monotonic() > deadline:
            return found
        time.sleep(1)


def _jobs(address: str, token: str, task: str) -> list[str]:
    """The ids of all jobs of a task."""
    found, headers = [], {"Authorization": f"Token {token}"}
    url = f"{address}/api/jobs/?page_size=200&task={task}"
    while url:
        page, _ = _insist(url, None, headers, longest_s=LONGEST_REFUSAL_S)
        found += [str(job["id"]) for job in page["results"]]
        url = page["next"]
    return found


def _not_once(found: Iterable[str], *, wanted: Iterable[str]) -> list[str]:
    wanted, times = set(wanted), Counter(found)
    wrong = [f"{job_id}: {number} rows" for job_id, number in times.items() if number != 1]
    wrong += [f"{job_id}: no submission of ours was answered with it" for job_id in times.keys() - wanted]
    return wrong + [f"{job_id}: is not listed" for job_id in wanted - times.keys()]


def _now() -> datetime:
    return datetime.now(UTC)


def _insist(url: str, body: Any, headers: dict[str, str], *, longest_s: float) -> tuple[dict[str, Any], int]:
    """The answer, and how often it was refused before. Raises the last error when it is refused for too long."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})  # noqa: S310  the Service
    deadline = time.monotonic() + longest_s
    tries = 0
    while True:
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310  the Service
                return json.load(answer), tries
        except urllib.error.HTTPError as exc:
            if exc.code < 500 or time.monotonic() > deadline:  # noqa: PLR2004  the server's own errors begin there
                raise
        except OSError:
            if time.monotonic() > deadline:
                raise
        tries += 1
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1])))
