"""One event to one webhook: what is sent, what an answer means, and when it is tried again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Literal

import msgspec

from controlplane.errors import InvalidInput
from controlplane.outgoing.keyring import Keyring
from controlplane.outgoing.posting import Answer, NoAnswer
from controlplane.outgoing.signing import signed
from events.timestamps import HOUR, SECOND, Timestamp, from_datetime
from projections.webhooks import Webhook

REQUEST_SECONDS = 5.0
"""From looking up the name to the end of the answer."""
_FIRST_WAIT = 10 * SECOND
LONGEST_WAIT = 4 * HOUR
_LEAST_SHARE = 0.75
"""Of a wait, so much is certain; the rest is chance, so that many do not come back at once."""

Post = Callable[[str, bytes, Mapping[str, str]], Answer | NoAnswer]


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt."""

    kind: Literal["delivered", "gone", "failed"]
    sentence: str
    """`answered 503 Service Unavailable`. Never what the other side wrote, nor the URL."""
    retry_after_us: int = 0
    """How long the other side asks to be left alone."""


Send = Callable[[Webhook, Mapping[str, Any]], Outcome]
"""A webhook and a CloudEvent → what came of it."""


class Sender:
    """Signs and sends. Never raises."""

    def __init__(self, post: Post, keyring: Keyring, clock: Callable[[], Timestamp]) -> None:
        self._post = post
        self._keyring = keyring
        self._clock = clock

    def __call__(self, webhook: Webhook, cloudevent: Mapping[str, Any]) -> Outcome:
        """Send it once. What cannot be signed is not sent."""
        body = msgspec.json.encode(cloudevent)
        now = self._clock()
        try:
            headers = signed(cloudevent["id"], body, self._keyring.keys(webhook.secret), now)
        except InvalidInput as error:
            return Outcome("failed", f"not sent: {error}")
        headers["content-type"] = "application/cloudevents+json; charset=utf-8"
        match self._post(webhook.url, body, headers):
            case NoAnswer(sentence):
                return Outcome("failed", sentence)
            case Answer(status=status, retry_after=retry_after):
                return _outcome(status, _wait_asked_for(retry_after, now))


def _outcome(status: int, retry_after_us: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome("delivered", _told(status))
    if status == HTTPStatus.GONE:
        return Outcome("gone", _told(status))
    return Outcome("failed", _told(status), retry_after_us)


def _told(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        return f"answered {status}"
    return f"answered {status} {phrase}"


def _wait_asked_for(text: str, now: Timestamp) -> int:
    """What Retry-After says, in seconds or as a date; 0 where it says nothing."""
    try:
        if text.strip().isdecimal():
            wait = int(text) * SECOND
        else:
            wait = from_datetime(parsedate_to_datetime(text)) - now
    except (ValueError, OverflowError):
        return 0
    return max(0, min(wait, LONGEST_WAIT))


def wait_us(attempts: int, chance: float, retry_after_us: int = 0) -> int:
    """How long to wait after so many attempts in vain; `chance` from 0 to 1.

    It doubles from 10 s to 4 h: 17 attempts take 19 to 26 hours. Who asks for more time gets it,
    up to the longest wait; nobody is asked more often than by the law.
    """
    doubled = min(_FIRST_WAIT << min(attempts - 1, 32), LONGEST_WAIT)
    wait = round(doubled * (_LEAST_SHARE + (1 - _LEAST_SHARE) * chance))
    return min(max(wait, retry_after_us), LONGEST_WAIT)


def fraction(chance: Callable[[int], bytes]) -> float:
    """From 0 to 1, and below it."""
    return int.from_bytes(chance(6)) / (1 << 48)


def is_due(next_attempt_at: Timestamp, now: Timestamp) -> bool:
    """Whether it is time.

    A time that is farther off than the longest wait was told by a clock that was set back since.
    """
    return not now < next_attempt_at <= now + LONGEST_WAIT
