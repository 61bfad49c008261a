"""From what the application tells to the line that is sent: checked as the server would."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from controlplane.bucketing import Explanation
from controlplane.executions import moment_of
from events.executions import BatchExecuted
from events.flags import NOBODY
from events.timestamps import Timestamp

Told = Explanation | BatchExecuted | Mapping[str, Any]
"""What an execution may be told as."""


class _Line(BatchExecuted, frozen=True, kw_only=True, omit_defaults=True):
    """An execution on its way: with its id, so that it counts once however often it is sent."""

    id: str
    occurred_at: Timestamp


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENCODER = msgspec.json.Encoder()


def to_line(
    told: Told,
    fields: Mapping[str, Any],
    *,
    new_id: Callable[[], str],
    now: Timestamp,
    instance: str,
) -> bytes:
    """The JSON of one execution. Raises ValueError or TypeError with the reason."""
    if isinstance(told, Explanation):
        known = _of_answer(told)
    elif isinstance(told, BatchExecuted):
        known = msgspec.structs.asdict(told)
    elif isinstance(told, Mapping):
        known = dict(told)
    else:
        raise TypeError(f"an execution is a mapping or an answer of evaluate(), not {told!r:.80}")
    known.update(fields)
    known["id"] = str(known["id"]) if "id" in known else new_id()
    known["occurred_at"] = moment_of(known["occurred_at"], now) if "occurred_at" in known else now
    if not known.get("instance"):
        known["instance"] = instance
    try:
        line = _ENCODER.encode(msgspec.convert(known, _Line))
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if not _UUID.fullmatch(known["id"]):
        raise ValueError(f"id {known['id']!r:.80} is not a UUID in lower case with hyphens")
    return line


def _of_answer(answer: Explanation) -> dict[str, Any]:
    return {
        "flag": answer.flag,
        "unit": answer.unit,
        "cohort": "on" if answer.enabled else "off",
        "audience": answer.audience or NOBODY,
    }
