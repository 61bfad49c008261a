"""Asks what stands outside: a POST, and what the answer means."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from events.judgements import Verdict

_MOST_BYTES = 65_536
_CHUNK = 8_192
_MOST_WORDS = 500
_VERDICTS: tuple[Verdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE")

Answered = tuple[Verdict, str]


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could lead anywhere; the plan names the address that was approved."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


_OPENER = build_opener(_NoRedirects)


def ask(url: str, question: Mapping[str, Any], timeout_seconds: float) -> Answered:
    """POST a question as JSON; the verdict and its detail. Never raises.

    A JSON object with a `verdict` (PASS, FAIL or INCONCLUSIVE; its `detail` beside it) says it;
    204: PASS; 202: INCONCLUSIVE. Anything else, or no answer in time: ERROR. What is not understood
    is no PASS.
    """
    asked = json.dumps(question).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "rollout-controlplane"}
    request = Request(url, asked, headers, method="POST")  # noqa: S310  why: plans take http(s) alone
    try:
        ends = monotonic() + timeout_seconds
        with _OPENER.open(request, timeout=timeout_seconds) as response:
            body = b""
            # The time limit of a socket is for each read: who sends a byte now and then has none.
            while len(body) <= _MOST_BYTES and (chunk := response.read1(_CHUNK)):
                body += chunk
                if monotonic() > ends:
                    return "ERROR", f"no complete answer within {timeout_seconds:g} s"
            return _understood(response.status, body)
    except HTTPError as error:
        return "ERROR", f"answered {error.code} {error.reason}"[:_MOST_WORDS]
    except Exception as error:  # noqa: BLE001  why: whatever a stranger sends, the others are asked
        return "ERROR", f"not reached: {error}"[:_MOST_WORDS]


def _understood(status: int, body: bytes) -> Answered:
    if status == HTTPStatus.NO_CONTENT:
        return "PASS", ""
    if status == HTTPStatus.ACCEPTED:
        return "INCONCLUSIVE", "accepted, not decided yet"
    if len(body) > _MOST_BYTES:
        return "ERROR", f"its answer is longer than {_MOST_BYTES} bytes"
    try:
        said = json.loads(body)
        verdict, detail = said["verdict"], str(said.get("detail", ""))[:_MOST_WORDS]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "ERROR", 'its answer is no JSON object with a "verdict"'
    if verdict in _VERDICTS:
        return verdict, detail
    return "ERROR", f"its verdict is {verdict!r:.100}, not one of {', '.join(_VERDICTS)}"
