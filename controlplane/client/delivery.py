"""One batch on its way: what the server's answer means for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from controlplane.client.server import retry_after, said

_OK = 200
_TOO_LARGE = 413
_ABOUT_THE_BATCH = (400, _TOO_LARGE, 422)
_ABOUT_THE_CLIENT = frozenset(range(300, 500)) - {408, 425, 429}


class Refusal(msgspec.Struct, frozen=True):
    """An execution that the server will never take."""

    index: int
    reason: str


class _Recorded(msgspec.Struct, frozen=True):
    accepted: int
    duplicates: int
    refused: list[Refusal]


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has the batch, but for what it refused."""

    duplicates: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Unfit:
    """Not as it stands: something in it is wrong, or it is too large."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotNow:
    """Not answered, or not about the batch: the same one again later."""

    reason: str
    slow: bool = False
    """It takes somebody to change something: a token, an address."""
    after: float | None = None
    """Seconds, where the server says when."""


Verdict = Taken | Unfit | NotNow


def deliver(post: Callable[[Sequence[bytes]], BaseHTTPResponse], lines: Sequence[bytes]) -> Verdict:
    """Post a batch once."""
    try:
        response = post(lines)
        status, body = response.status, response.data
    except (HTTPError, OSError) as error:
        return NotNow(str(error))
    if status == _OK:
        return _taken(body, len(lines))
    reason = f"the server answered {status}: {said(body)}"
    if status in _ABOUT_THE_BATCH:
        return Unfit(reason)
    return NotNow(reason, slow=status in _ABOUT_THE_CLIENT, after=retry_after(response))


def _taken(body: bytes, count: int) -> Verdict:
    """Whether the answer speaks of just this batch: anything might say 200."""
    try:
        recorded = msgspec.json.decode(body, type=_Recorded)
    except msgspec.DecodeError as error:
        return NotNow(f"the answer is not understood: {error}", slow=True)
    places = {refusal.index for refusal in recorded.refused}
    fits = places <= set(range(count)) and len(places) == len(recorded.refused)
    if not fits or recorded.accepted + len(places) != count:
        told = f"{recorded.accepted} accepted and {len(places)} refused"
        return NotNow(f"the answer speaks of {told}, not of {count}", slow=True)
    return Taken(recorded.duplicates, tuple(recorded.refused))
