"""How a receiver knows that it was us: signatures after Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from events.timestamps import SECOND, Timestamp


def signed(id_: str, body: bytes, keys: Sequence[bytes], now: Timestamp) -> dict[str, str]:
    """The headers of a message. With several keys, it has the signature of each.

    The id stays the same however often a message is sent; the time is that of the attempt.
    """
    seconds = str(now // SECOND)
    content = f"{id_}.{seconds}.".encode() + body
    macs = (hmac.digest(key, content, sha256) for key in keys)
    return {
        "webhook-id": id_,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{b64encode(mac).decode()}" for mac in macs),
    }
