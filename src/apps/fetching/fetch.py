"""Fetches addresses on behalf of users, each within bounds of time, size and redirects."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import httpx

from warren.outbound.addresses import NotPublicError
from warren.outbound.transport import STEP_TIMEOUT_S, CheckedTransport, Reach

TIMEOUT_S = 30.0  # for an address, redirects included
LOOK_UP_GRACE_S = 5.0  # looking up a name cannot be interrupted; it is left behind after this
MAX_BODY_BYTES = 5 * 1_048_576
MAX_REDIRECTS = 5
USER_AGENT = "Warren"


def fetch_all(urls: Sequence[str], *, allow_private: bool, timeout_s: float = TIMEOUT_S) -> list[dict[str, Any]]:
    """Fetch all at once; returns one answer for each address, in order.

    An answer is `{url, status, bytes, truncated, elapsed_ms}`, or `{url, error}`. Threads are greenlets where gevent or
    eventlet have patched them, so this does the right thing in every pool.
    """
    executor = ThreadPoolExecutor(max_workers=len(urls), thread_name_prefix="fetch")
    try:
        tasks = [executor.submit(fetch, url, allow_private=allow_private, timeout_s=timeout_s) for url in urls]
        wait(tasks, timeout=timeout_s + LOOK_UP_GRACE_S)
        return [_answer(url, task) for url, task in zip(urls, tasks, strict=True)]
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def fetch(url: str, *, allow_private: bool, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Fetch one address; never raises for what the address or its server do."""
    started = time.monotonic()
    transport = CheckedTransport(deadline=started + timeout_s, reach=Reach(allow_private=allow_private))
    try:
        with httpx.Client(transport=transport, trust_env=False, timeout=STEP_TIMEOUT_S) as client:
            status, size = _follow(client, url)
    except (httpx.HTTPError, httpx.InvalidURL, NotPublicError) as exc:
        return {"url": url, "error": str(exc) or type(exc).__name__}
    return {
        "url": url,
        "status": status,
        "bytes": min(size, MAX_BODY_BYTES),
        "truncated": size > MAX_BODY_BYTES,
        "elapsed_ms": round((time.monotonic() - started) * 1000),
    }


def _follow(client: httpx.Client, url: str) -> tuple[int, int]:
    """Status and body size at the end of the redirects. By hand: httpx would read a redirect's body, however large."""
    request = client.build_request("GET", url, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
    for _ in range(MAX_REDIRECTS + 1):
        response = client.send(request, stream=True)
        try:
            if response.next_request is None:
                return response.status_code, _size(response)
            request = response.next_request
        finally:
            response.close()
    raise httpx.TooManyRedirects(f"more than {MAX_REDIRECTS} redirects", request=request)


def _size(response: httpx.Response) -> int:
    """Bytes of the body; reading stops once it is larger than MAX_BODY_BYTES."""
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            break
    return size


def _answer(url: str, task: Future[dict[str, Any]]) -> dict[str, Any]:
    if not task.done():
        return {"url": url, "error": "no answer in time"}
    return task.result()
