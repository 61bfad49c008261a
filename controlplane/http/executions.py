"""`POST /api/v1/executions`: what the service under rollout tells us, as fast as it comes."""

from typing import Any

import msgspec
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from controlplane.access_errors import BodyUnreadable
from controlplane.errors import InvalidInput, TooManyExecutions
from controlplane.http.calls import Asking, Plane
from controlplane.http.models.executions import BODY, Receipt
from controlplane.http.route import router
from controlplane.plane import ControlPlane
from controlplane.plane.executions import MOST_AT_ONCE
from controlplane.plane.tokens import Caller

routes = router("executions")

_LINES = "application/x-ndjson"
_LONGEST_REASON = 500


@routes.post("/executions", response_model=Receipt, openapi_extra=BODY)
async def record_executions(request: Request, plane: Plane, asking: Asking) -> Response:
    """Record up to 10,000 executions in one transaction; durable when this answers.

    A list of them, {"executions": […]}, one alone, or NDJSON. What is wrong is refused one by one,
    and the others are kept. Sent again with the same ids, each counts once.
    """
    body, media_type = await request.body(), request.headers.get("Content-Type", "")
    by_line = media_type.partition(";")[0].strip().lower() == _LINES
    # Read there too: a large body must not hold up what is answered in between.
    recorded = await run_in_threadpool(_record, body, plane, asking, by_line=by_line)
    return Response(msgspec.json.encode(recorded), media_type="application/json")


def _record(body: bytes, plane: ControlPlane, asking: Caller, *, by_line: bool) -> dict[str, Any]:
    refused: dict[int, str] = {}
    entries = _lines(body, refused) if by_line else dict(enumerate(_entries(body)))
    if len(entries) + len(refused) > MOST_AT_ONCE:
        raise TooManyExecutions(most=MOST_AT_ONCE)
    if asking.flags:
        refused |= {
            index: reason for index, entry in entries.items() if (reason := _unseen(entry, asking))
        }
    kept = [index for index in entries if index not in refused]
    recorded = plane.executions.record([entries[index] for index in kept], actor=asking.actor)
    refused |= {kept[refusal.index]: refusal.reason for refusal in recorded.refused}
    return {
        "accepted": recorded.accepted,
        "duplicates": recorded.duplicates,
        "refused": [
            {"index": index, "reason": reason[:_LONGEST_REASON]}
            for index, reason in sorted(refused.items())
        ],
        "position": recorded.position,
    }


def _entries(body: bytes) -> list[Any]:
    """What a JSON document holds. Raises BodyUnreadable, InvalidInput."""
    try:
        found = msgspec.json.decode(body)
    except ValueError as error:
        raise BodyUnreadable(reason=f"it is not JSON: {error}") from error
    match found:
        case list():
            return found
        case {"executions": list() as many} if len(found) == 1:
            return many
        case dict() if "executions" not in found:
            return [found]
        case _:
            raise InvalidInput(
                reason='the body is a list of executions, {"executions": […]}, or one execution'
            )


def _lines(body: bytes, refused: dict[int, str]) -> dict[int, Any]:
    """What each line holds, by its place from 0; what is not JSON is refused by itself."""
    entries = {}
    for index, line in enumerate(body.split(b"\n")):
        if not line.strip():
            continue
        try:
            entries[index] = msgspec.json.decode(line)
        except (ValueError, RecursionError) as error:
            refused[index] = f"the line is not JSON: {error}"
    return entries


def _unseen(entry: object, asking: Caller) -> str:
    """Why an execution is refused whose flag the token is not for; as if there were none."""
    flag = entry.get("flag") if isinstance(entry, dict) else None
    seen = not isinstance(flag, str) or asking.sees(flag)
    return "" if seen else f"there is no flag {flag!r}"
