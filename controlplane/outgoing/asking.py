"""Asks what stands outside: a POST, and what the answer means."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from controlplane.outgoing.destinations import Allowed
from controlplane.outgoing.posting import MOST_BYTES, Answer, NoAnswer, post
from events.judgements import Verdict

_MOST_WORDS = 500
_VERDICTS: tuple[Verdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE")

Answered = tuple[Verdict, str]
Ask = Callable[[str, Mapping[str, Any], float], Answered]
"""A URL, a question, and how long it may take."""

WITHIN_THE_WALLS = Allowed(private=True, plain_http=True)
"""People approve whom a plan asks, and most of it has a private address. What tells a cloud's
credentials, or belongs to one network interface, is not asked even so."""


def ask(
    url: str,
    question: Mapping[str, Any],
    timeout_seconds: float,
    allowed: Allowed = WITHIN_THE_WALLS,
) -> Answered:
    """POST a question as JSON; the verdict and its detail. Never raises.

    A JSON object with a `verdict` (PASS, FAIL or INCONCLUSIVE; its `detail` beside it) says it;
    204: PASS; 202: INCONCLUSIVE. Anything else, or no answer in time: ERROR. What is not understood
    is no PASS.
    """
    asked = json.dumps(question).encode()
    headers = {"Content-Type": "application/json"}
    match post(url, asked, headers, allowed=allowed, seconds=timeout_seconds):
        case NoAnswer(sentence):
            return "ERROR", sentence
        case Answer(is_whole=False):
            return "ERROR", f"no complete answer within {timeout_seconds:g} s"
        case Answer(status=status, body=body):
            return _understood(status, body)


def _understood(status: int, body: bytes) -> Answered:
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "ERROR", f"answered {status}"
    if status == HTTPStatus.NO_CONTENT:
        return "PASS", ""
    if status == HTTPStatus.ACCEPTED:
        return "INCONCLUSIVE", "accepted, not decided yet"
    if len(body) > MOST_BYTES:
        return "ERROR", f"its answer is longer than {MOST_BYTES} bytes"
    try:
        said = json.loads(body)
        verdict, detail = said["verdict"], str(said.get("detail", ""))[:_MOST_WORDS]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "ERROR", 'its answer is no JSON object with a "verdict"'
    if verdict in _VERDICTS:
        return verdict, detail
    return "ERROR", f"its verdict is {verdict!r:.100}, not one of {', '.join(_VERDICTS)}"
