"""The header that proves that a call is ours, and new.

    Warren-Signature: t=1764000000,v1=5257a8…,v1=9f2c01…

`t` is the moment of this attempt, in seconds; each `v1` is the HMAC-SHA256, in hex, of "<t>.<body>" by one of the
user's secrets: while a secret is changed there are two, and a receiver is content with either. docs/how-to/webhooks.md
has code for receivers.
"""

import hashlib
import hmac
from collections.abc import Iterable

HEADER = "Warren-Signature"


def header(body: bytes, *, secrets: Iterable[str], at: int) -> str:
    """The header's value for this body, sent at this moment."""
    signatures = [hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={each}" for each in signatures)])
