"""`plane.executions`: what the service under rollout tells us."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from controlplane.errors import TooManyExecutions
from controlplane.executions import moment_of
from controlplane.plane.core import Core, Who, as_actor
from controlplane.plane.lineages import with_ids
from events.codec import encode
from events.errors import InvalidEvent
from events.event import Actor, NewEvent, Receipt
from events.executions import BatchExecuted, execution_stream
from events.log import prepare
from events.timestamps import Timestamp

MOST_AT_ONCE = 10_000
_TAKEN = "its id is that of another event: each execution has one of its own"
_RECORDER = Actor.system("recorder")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An execution that was not recorded."""

    index: int
    """Its place in the call, from 0."""
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer to one call."""

    accepted: int
    duplicates: int
    """Of the accepted: those whose id was in the log already."""
    refused: tuple[Refusal, ...]
    position: int
    """The log position of the last accepted one; 0 where none was."""


class Executions:
    """Records batch executions."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._snapshot = core.snapshot

    def record(
        self,
        executions: Iterable[BatchExecuted | Mapping[str, Any]] | BatchExecuted | Mapping[str, Any],
        *,
        actor: Who = _RECORDER,
    ) -> Recorded:
        """Record one execution or up to 10,000, in one transaction; durable when this returns.

        A mapping has the fields of BatchExecuted, and may have `id` (a UUID: recording it again
        changes nothing) and `occurred_at` (a datetime, ISO 8601, or microseconds since the
        epoch; default: now). Invalid ones are refused one by one, and so is one whose `id`
        another event has; the others are kept. Raises TooManyExecutions, LogUnavailable.
        """
        if isinstance(executions, BatchExecuted | Mapping):
            executions = [executions]
        given = list(islice(executions, MOST_AT_ONCE + 1))  # A generator may never end.
        if len(given) > MOST_AT_ONCE:
            raise TooManyExecutions(most=MOST_AT_ONCE)
        who, now = as_actor(actor), self._core.clock()
        accepted: dict[int, NewEvent] = {}
        refused: list[Refusal] = []
        exists = self._snapshot.lookup()
        for index, execution in enumerate(given):
            try:
                accepted[index] = self._checked(execution, who, now, exists)
            except Exception as error:  # noqa: BLE001  why: one bad entry must not cost the others
                refused.append(Refusal(index, str(error)))
        told = self._append(accepted, refused)
        by_index = dict(zip(accepted, told, strict=True))
        for index in self._mistaken(accepted, by_index):
            refused.append(Refusal(index, _TAKEN))
            del by_index[index]
        receipts = by_index.values()
        return Recorded(
            accepted=len(receipts),
            duplicates=sum(receipt.duplicate for receipt in receipts),
            refused=tuple(sorted(refused, key=lambda refusal: refusal.index)),
            position=max((receipt.position for receipt in receipts), default=0),
        )

    def _append(self, accepted: dict[int, NewEvent], refused: list[Refusal]) -> list[Receipt]:
        """Append them all; only if the log refuses one of them, look at each by itself."""
        try:
            return self._core.log.append(list(accepted.values()))
        except InvalidEvent:
            for index, new in list(accepted.items()):
                try:
                    prepare([new])
                except InvalidEvent as error:
                    refused.append(Refusal(index, str(error)))
                    del accepted[index]
        return self._core.log.append(list(accepted.values()))

    def _mistaken(
        self, accepted: Mapping[int, NewEvent], receipts: Mapping[int, Receipt]
    ) -> list[int]:
        """Those whose id another event has: not recorded, and not recorded before either."""
        again = {index: accepted[index] for index, told in receipts.items() if told.duplicate}
        found = with_ids(self._core.log, [new.id for new in again.values()])
        known = {one.id: (one.stream, encode(one.event)) for one in found}
        return [
            index
            for index, new in again.items()
            if known.get(new.id) != (new.stream, encode(new.event))
        ]

    def _checked(
        self,
        execution: BatchExecuted | Mapping[str, Any],
        who: Actor,
        now: Timestamp,
        exists: Callable[[str], bool],
    ) -> NewEvent:
        """The event to append. Raises ValueError or TypeError with the reason."""
        id_, occurred_at = self._core.new_id(), now
        if isinstance(execution, Mapping):
            fields = dict(execution)
            id_ = str(fields.pop("id", id_))
            occurred_at = moment_of(fields.pop("occurred_at", now), now)
            execution = msgspec.convert(fields, BatchExecuted)
        elif not isinstance(execution, BatchExecuted):
            raise TypeError(f"an execution is a mapping or a BatchExecuted, not {execution!r:.80}")
        if not exists(execution.flag):
            raise ValueError(f"there is no flag {execution.flag!r}")
        return NewEvent(
            stream=execution_stream(execution.flag),
            event=execution,
            id=id_,
            occurred_at=occurred_at,
            actor=who,
        )
