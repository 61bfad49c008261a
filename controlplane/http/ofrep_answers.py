"""What OFREP asks, and what it is told: bytes in, bytes out, from flags in memory.

The dialect follows what clients do rather than the schema: `variant` and `errorDetails` are always
there (the Python provider fails without), and floats are written as floats.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from controlplane.bucketing import explain
from controlplane.errors import UnitMissing
from events.timestamps import SECOND, from_datetime
from projections.flags import Flag

logger = logging.getLogger(__name__)

Json = dict[str, Any]

STREAM = "/ofrep/v1/stream"
INACTIVITY_SECONDS = 120
_DIALECT = b"ofrep 0.3, 1"
"""In every ETag: a release that answers otherwise has other ETags."""
_TAG = re.compile(r'(?:W/)?"?([0-9]{1,19})(?:-[0-9a-f]*)?"?')
_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")


class NotUnderstoodError(Exception):
    """What was asked makes no sense; with OFREP's code for it."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(details)
        self.code = code


class Context(NamedTuple):
    """Who asks, as far as they said."""

    unit: str | None
    attributes: Mapping[str, object]
    text: bytes
    """As it was sent."""


class _Body(msgspec.Struct):
    context: msgspec.Raw = msgspec.Raw(b"{}")


_BODY = msgspec.json.Decoder(_Body)


def context_of(body: bytes) -> Context:
    """Read a request, whatever content type it came under. Raises NotUnderstoodError."""
    try:
        raw = bytes(_BODY.decode(body).context) if body.strip() else b"{}"
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstoodError(
            "PARSE_ERROR", f"The body is not as OFREP has it: {error}"
        ) from error
    if found is None:
        found = {}
    if not isinstance(found, dict):
        raise NotUnderstoodError("INVALID_CONTEXT", "The context is not an object")
    unit = found.get("targetingKey")
    if unit is not None and not isinstance(unit, str):
        raise NotUnderstoodError("INVALID_CONTEXT", "The targetingKey is not text")
    return Context(unit or None, found, raw)


def resolution(flag: Flag, context: Context) -> Json:
    """What a flag answers, or why it has no answer."""
    try:
        found = explain(flag, context.unit, context.attributes)
    except UnitMissing as error:
        return failure(flag.name, "TARGETING_KEY_MISSING", str(error))
    except Exception:
        # It makes no sense to this release. No other flag may suffer from it.
        logger.exception("flag %s cannot be evaluated", flag.name)
        return failure(flag.name, "GENERAL", f"Flag {flag.name} cannot be understood")
    if found.openfeature_reason == "ERROR":
        return failure(flag.name, "FLAG_NOT_FOUND", f"There is no flag {flag.name}")
    metadata: Json = {"position": found.position, "sentence": found.sentence}
    if found.audience is not None:
        metadata["audience"] = found.audience
    return {
        "key": flag.name,
        "reason": found.openfeature_reason,
        "variant": found.variant,
        "value": found.value,
        "metadata": metadata,
    }


def failure(key: str, code: str, details: str) -> Json:
    """Why a flag has no answer."""
    return {"key": key, "errorCode": code, "errorDetails": details}


def resolutions(flags: Mapping[str, Flag], context: Context, environment: str) -> bytes:
    """What all flags answer, and where to hear of changes."""
    stream = {
        "type": "sse",
        "endpoint": {"requestUri": STREAM},
        "inactivityDelaySec": INACTIVITY_SECONDS,
    }
    answer = {
        "flags": [resolution(flag, context) for flag in flags.values()],
        "eventStreams": [stream],
        "metadata": {"environment": environment},
    }
    return msgspec.json.encode(answer)


def tag(position: int, context: Context, *more: str) -> str:
    """The ETag of what all flags answer.

    It begins with the position of the last change, so tags of one context are in order: of two
    answers, whoever keeps them can tell the newer.
    """
    digest = blake2b(_DIALECT, digest_size=8)
    for part in (*more, ""):
        digest.update(part.encode() + b"\0")
    digest.update(context.text)
    return f'"{position}-{digest.hexdigest()}"'


def matches(if_none_match: str, etag: str) -> bool:
    """Whether a client has what it would be given: the weak comparison of RFC 9110."""
    given = (one.strip().removeprefix("W/") for one in if_none_match.split(","))
    # Unquoted too: the examples of OFREP are.
    return any(one == "*" or one.strip('"') == etag.strip('"') for one in given)


def position_in(flag_config_etag: str) -> int:
    """The position that a tag speaks of; 0 where it is none of ours."""
    found = _TAG.fullmatch(flag_config_etag.strip())
    return int(found[1]) if found else 0


def seconds_in(flag_config_last_modified: str) -> int:
    """Seconds since the epoch, of these or ISO 8601; 0 where it is neither."""
    text = flag_config_last_modified.strip()
    if _UNIX_SECONDS.fullmatch(text):
        return int(text)
    try:  # A plus sign in a query is a space.
        return from_datetime(datetime.fromisoformat(text.replace(" ", "+"))) // SECOND
    except ValueError:
        return 0
