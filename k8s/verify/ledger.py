"""Submits additions through the Service from /tmp/go to /tmp/stop, then asks for each one's end: `ledger.py ADDRESS`.

A submission that is not answered, or refused with 5xx, is sent again with the same Idempotency-Key, so that what is
accepted is known for certain. Ends well if every accepted job succeeded with its own sum, and the API was never away.
Runs in web's image, with the standard library alone.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

GO, STOP = Path("/tmp/go"), Path("/tmp/stop")  # noqa: S108  the pod's own memory, where k8s/host/verify touches them
LONGEST_WAIT_S = 1800.0
PAUSE_S = 0.05
LONGEST_REFUSAL_S = 30.0  # a rolling restart should cost no request; one that costs half a minute is an outage
LONGEST_END_S = 600.0
FINAL = {"succeeded", "failed", "cancelled", "expired", "dead"}


def main(address: str) -> int:
    """Returns how many things were wrong."""
    token = _log_in(address)
    _wait_for(GO)
    accepted, refused = _submit(address, token)
    wrong = _settle(address, token, accepted)
    print(f"{len(accepted)} accepted, {refused} answers refused and asked again, {len(wrong)} wrong")
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
