"""`plane.freezes`: the Python API of freezes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from controlplane import calendars, freezes
from controlplane.calendars import FreezeWindow
from controlplane.errors import FlagNotFound, FreezeNotFound
from controlplane.execution import Transaction
from controlplane.plane.core import Core, Who, context, moment
from events.event import Event
from events.freezes import FREEZE_STREAM, FreezeLifted
from projections.flags import FLAGS
from projections.freezes import FREEZES, Freeze


class Freezes:
    """When nothing is promoted. Rolling back and switching off are never held."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def declare(
        self,
        *,
        reason: str,
        actor: Who,
        until: datetime | str | None = None,
        flags: Sequence[str] = (),
        window: FreezeWindow | Mapping[str, Any] | None = None,
        name: str = "",
    ) -> Freeze:
        """Promote nothing from now on: until a moment, until lifted, or in a window's time.

        `flags`: whose promotions are held; none: all. `name` goes for a window without one.
        Raises InvalidInput, FlagNotFound.
        """
        names = (flags,) if isinstance(flags, str) else tuple(flags)
        for flag in names:  # A name with a slip in it would hold nothing, unseen.
            if not self._core.get(FLAGS, flag).exists:
                raise FlagNotFound(flag=flag)
        command = freezes.DeclareFreeze(
            reason=reason,
            name=name,
            flags=names,
            ends_at=moment(until),
            window=None if window is None else _window(window, name),
        )

        def work(transaction: Transaction) -> str:
            standing = transaction.fold(FREEZES, FREEZE_STREAM, FREEZE_STREAM)
            transaction.stage(FREEZE_STREAM, freezes.decide(standing, command, transaction.now))
            return f"freeze-{standing.declared + 1}"

        return self.find(self._core.run(work, context(actor)))

    def lift(self, id_: str, *, actor: Who, reason: str) -> Freeze:
        """End a freeze, for good; as it stood. Raises FreezeNotFound, InvalidInput."""

        def work(transaction: Transaction) -> None:
            standing = transaction.fold(FREEZES, FREEZE_STREAM, FREEZE_STREAM)
            command = freezes.LiftFreeze(freeze=id_, reason=reason)
            transaction.stage(FREEZE_STREAM, freezes.decide(standing, command, transaction.now))

        self._core.run(work, context(actor))
        return self.find(id_)

    def find(self, id_: str) -> Freeze:
        """A freeze that stands, or stood until it was lifted. Raises FreezeNotFound."""
        events = self._core.log.read_stream(FREEZE_STREAM)
        before = (one for one in events if not _lifts(one.event, id_))
        standing = FREEZES.fold(FREEZE_STREAM, before).standing
        found = next((freeze for freeze in standing if freeze.id == id_), None)
        if found is None:
            raise FreezeNotFound(freeze=id_)
        return found

    def get(self, id_: str) -> Freeze:
        """A freeze that stands. Raises FreezeNotFound."""
        for freeze in self.all():
            if freeze.id == id_:
                return freeze
        raise FreezeNotFound(freeze=id_)

    def all(self) -> list[Freeze]:
        """Those that nobody has lifted, in effect or not, in the order they were declared."""
        return list(self._core.get(FREEZES, FREEZE_STREAM).standing)

    def in_effect(self, flag: str | None = None) -> Freeze | None:
        """The one that holds a flag's promotions now and ends last; without a flag, any flag's.

        The windows of a rollout's own plan are not among them.
        """
        standing = self._core.get(FREEZES, FREEZE_STREAM)
        return freezes.in_effect(standing, flag, self._core.clock())


def _lifts(event: Event, id_: str) -> bool:
    return isinstance(event, FreezeLifted) and event.freeze == id_


def _window(window: FreezeWindow | Mapping[str, Any], name: str) -> FreezeWindow:
    if isinstance(window, FreezeWindow):
        return window
    named = name and isinstance(window, Mapping)
    return calendars.parse({"name": name, **window} if named else window)
