"""One call to a receiver: made within bounds of time, and of where it may go. Redirects are not followed.

looking the name up   once; every address that it leads to must be allowed, and those are connected to. It cannot be
                      interrupted, so it is left behind if it takes too long. A name that leads inside and one that
                      nobody knows come to the same answer
the answer            its status counts, and Retry-After; of its body some kB are read and thrown away, because they
                      may come from a receiver inside the network
"""

import logging
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import httpcore
import httpx

from apps.webhooks import callback_urls
from apps.webhooks.errors import CallbackUrlError
from apps.webhooks.receivers import Receivers
from warren.outbound.addresses import LookUp, NotPublicError
from warren.outbound.transport import CheckedTransport

CONNECT_S, READ_S = 5.0, 10.0
TOTAL_S = 20.0  # from the connect to the answer's head
LOOK_UP_GRACE_S = 5.0
MOST_READ_BYTES = 16_384  # so that most receivers can end their answer in peace


log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a call: the status, or no status and the reason why. `is_final`: another call would be in vain."""

    status: int | None = None
    reason: str = ""
    duration_ms: int = 0
    retry_after: str | None = None
    is_final: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether the receiver has taken the call."""
        return self.status is not None and httpx.codes.is_success(self.status)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds for connecting, for each read, and for all; other ones only in tests."""

    connect_s: float = CONNECT_S
    read_s: float = READ_S
    total_s: float = TOTAL_S
    grace_s: float = LOOK_UP_GRACE_S


def call(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Receivers,
    look_up: LookUp | None = None,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
) -> Answer:
    """Post the body; never raises for what the address or its server do.

    `look_up` stands for the system's resolver, `tls` for the authorities that are trusted. The thread is a greenlet
    where gevent or eventlet have patched them.
    """
    limits, started = limits or Limits(), time.monotonic()
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="webhook")
    try:
        calling = executor.submit(
            _post, url, body=body, headers=headers, allowed=allowed, look_up=look_up, tls=tls, limits=limits
        )
        wait([calling], timeout=limits.total_s + limits.grace_s)
        answer = calling.result() if calling.done() else Answer(reason="no answer in time")
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    return replace(answer, duration_ms=round((time.monotonic() - started) * 1000))


def _post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    allowed: Receivers,
    look_up: LookUp | None,
    tls: ssl.SSLContext | None,
    limits: Limits,
) -> Answer:
    try:
        address = callback_urls.refuse_bad(url, allowed=allowed)  # the rules may have changed since it was submitted
        reach = replace(allowed.reach(address.host, look_up=look_up), tls=tls)
        transport = CheckedTransport(deadline=time.monotonic() + limits.total_s, reach=reach)
        timeout = httpx.Timeout(limits.read_s, connect=limits.connect_s)
        with httpx.Client(transport=transport, trust_env=False, timeout=timeout, follow_redirects=False) as client:
            return _answer(client, address, body=body, headers=headers)
    except CallbackUrlError as exc:
        return Answer(reason=f"refused: {exc}", is_final=True)
    except NotPublicError as exc:
        return Answer(reason=str(exc))  # not final: to give up at once would tell a name inside from an unknown one
    except (httpx.HTTPError, httpx.InvalidURL, httpcore.NetworkError, httpcore.TimeoutException, OSError) as exc:
        return Answer(reason=_in_words(exc))
    except Exception as exc:
        log.exception("a call failed as none should")
        return Answer(reason=type(exc).__name__)  # it is made again, as after any other failure


def _answer(client: httpx.Client, address: httpx.URL, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    with client.stream("POST", address, content=body, headers=dict(headers)) as response:
        read = 0
        try:
            for chunk in response.iter_raw():
                read += len(chunk)
                if read > MOST_READ_BYTES:
                    break
        except httpx.HTTPError:
            pass  # the status is what counts, and it is here
        return _of(response)


def _of(response: httpx.Response) -> Answer:
    status = response.status_code
    reason = ""
    if response.is_redirect:
        reason = "a redirect, which is not followed; give the address that it leads to"
    elif status == httpx.codes.GONE:
        reason = "the receiver wants no more calls (410)"
    elif not response.is_success:
        reason = f"the receiver answered {status}"
    return Answer(
        status=status,
        reason=reason,
        retry_after=response.headers.get("Retry-After"),
        is_final=status == httpx.codes.GONE,
    )


def _in_words(exc: Any) -> str:
    """Kind and cause; the messages of httpx name hosts and numbers of errors, never addresses."""
    kinds = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.TimeoutException: "no answer in time",
        httpx.ConnectError: "no connection",
        httpx.RemoteProtocolError: "the answer is not HTTP",
    }
    said = next((words for kind, words in kinds.items() if isinstance(exc, kind)), type(exc).__name__)
    return f"{said}: {exc}"[:500] if str(exc) else said
