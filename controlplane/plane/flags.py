"""`plane.flags`: the Python API of flags."""

from collections.abc import Iterable, Mapping
from typing import Any

from controlplane import flags
from controlplane.bucketing import Explanation, explain
from controlplane.errors import FlagNotFound, FlagNotThere
from controlplane.execution import Transaction
from controlplane.people import require_reason
from controlplane.plane.consequences import fold_flag, switch_off
from controlplane.plane.core import Core, Who, as_actor, context, printable
from controlplane.plane.exposing import break_glass, stage_exposure
from controlplane.plane.moments import When, place
from controlplane.plane.reverting import revert
from controlplane.variants import DefineVariants
from events.event import Event, RecordedEvent
from events.flags import EVERYONE, Audience, FlagKind, Variant, flag_stream
from events.timestamps import to_iso
from projections.flags import FLAGS, Flag

_NONE: Mapping[str, object] = {}


class Flags:
    """Who gets the new code."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.snapshot = self._snapshot = core.snapshot
        """The flags in memory, for who serves them on."""

    def create(
        self, name: str, *, owner: str, actor: Who, description: str = "", salt: str = ""
    ) -> Flag:
        """Make a flag, off for everyone. Raises FlagExists, InvalidInput."""
        command = flags.CreateFlag(owner=owner, description=description, salt=salt)
        return self._command(name, command, actor)

    def describe(
        self,
        name: str,
        *,
        actor: Who,
        owner: str | None = None,
        description: str | None = None,
        tags: tuple[str, ...] | None = None,
    ) -> Flag:
        """Change owner, description or tags."""
        command = flags.DescribeFlag(owner=owner, description=description, tags=tags)
        return self._command(name, command, actor)

    def enable(
        self,
        name: str,
        *,
        percentage: float,
        actor: Who,
        reason: str = "",
        audience: Audience = EVERYONE,
        may_raise: bool = True,
    ) -> Flag:
        """Switch on at a percentage of an audience.

        Raises RolloutInCharge, CriticalAlertOpen if that raises it, RaiseNotPermitted if whoever
        asks may not raise.
        """
        command = flags.EnableFlag(percentage=percentage, audience=audience, reason=reason)
        return self._command(name, command, actor, may_raise=may_raise)

    def set_percentage(
        self,
        name: str,
        percentage: float,
        *,
        actor: Who,
        reason: str = "",
        audience: Audience = EVERYONE,
        may_raise: bool = True,
    ) -> Flag:
        """Move the percentage of a flag that is on.

        Raises FlagIsDisabled, and as `enable`.
        """
        command = flags.ChangeExposure(percentage=percentage, audience=audience, reason=reason)
        return self._command(name, command, actor, may_raise=may_raise)

    def serve(
        self, name: str, percentage: float, *, actor: Who, reason: str = "", may_raise: bool = True
    ) -> Flag:
        """Serve everyone at a percentage: the flag is made and switched on if need be, off at 0.

        Raises as `enable`.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> None:
            flag = fold_flag(transaction, name)
            made = [] if flag.exists else flags.decide(flag, flags.CreateFlag(owner=who.id))
            transaction.stage(flag_stream(name), made)
            flag = transaction.foresee(FLAGS, flag, made)
            if percentage == 0:
                switch_off(transaction, flag, printable(reason) or "switched off", by=who.id)
                return
            command = flags.EnableFlag(percentage=percentage, reason=reason)
            stage_exposure(transaction, flag, command, who, may_raise=may_raise)

        self._core.run(work, context(who))
        return self._core.get(FLAGS, name)

    def break_glass(
        self,
        name: str,
        percentage: float,
        *,
        actor: Who,
        reason: str,
        audience: Audience = EVERYONE,
    ) -> Flag:
        """Raise an exposure past the rollout in charge and past open alerts, alone, in need.

        Raises the alert GLASS_BROKEN, which holds promotions, and opens a review for a second
        person. Raises NotAPerson, FlagNotFound, FlagIsArchived; InvalidInput without a reason, or
        where nothing is raised by it.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> str:
            command = flags.BreakGlass(percentage=percentage, audience=audience, reason=reason)
            return break_glass(transaction, fold_flag(transaction, name), command, who)

        self._core.run(work, context(who))
        return self._core.get(FLAGS, name)

    def define_variants(
        self,
        name: str,
        *,
        kind: FlagKind,
        variants: Iterable[Variant],
        default: str,
        actor: Who,
        reason: str = "",
    ) -> Flag:
        """Say anew what the flag can answer: to the units it serves by weight, else the default.

        Raises RolloutInCharge, CriticalAlertOpen, and FlagIsOn where the kind would change under
        its clients.
        """
        command = DefineVariants(
            kind=kind, variants=tuple(variants), default=default, reason=reason
        )
        return self._command(name, command, actor)

    def disable(self, name: str, *, actor: Who, reason: str = "") -> Flag:
        """Switch off for everyone, at once; a rollout in charge is thereby rolled back."""
        who = as_actor(actor)

        def work(transaction: Transaction) -> None:
            flag = fold_flag(transaction, name)
            if not flag.exists:
                raise FlagNotFound(flag=name)
            switch_off(transaction, flag, printable(reason) or "switched off", by=who.id)

        self._core.run(work, context(who))
        return self._core.get(FLAGS, name)

    def revert(
        self, name: str, at: When, *, actor: Who, reason: str, may_raise: bool = True
    ) -> Flag:
        """Lead it back to how it stood at a moment: exposure, on or off, variants, description.

        By ordinary commands in one transaction, refused as those are: what is raised by it takes
        what raising takes, and switching off rolls back the rollout in charge. Raises FlagNotFound,
        FlagNotThere where there was none then; InvalidInput for a moment to come, or no reason.
        """
        require_reason("leading a flag back", reason)
        who, (position, when) = as_actor(actor), place(self._core, at)
        was = self._core.history.at(position).get(FLAGS, name)
        if not was.exists:
            self.get(name)  # Raises FlagNotFound where there is none at all.
            raise FlagNotThere(flag=name, position=position)
        why = f"as it was at {to_iso(when)}: {printable(reason)}"
        self._core.run(lambda t: revert(t, was, why, who, may_raise=may_raise), context(who))
        return self._core.get(FLAGS, name)

    def archive(self, name: str, *, actor: Who, reason: str = "") -> Flag:
        """Retire a flag; it stays off for ever. Raises RolloutInCharge."""
        return self._command(name, flags.ArchiveFlag(reason=reason), actor)

    def get(self, name: str) -> Flag:
        """The flag as it stands. Raises FlagNotFound."""
        flag = self._core.get(FLAGS, name)
        if not flag.exists:
            raise FlagNotFound(flag=name)
        return flag

    def all(self) -> list[Flag]:
        """All flags, by name."""
        return [flag for _, flag in self._core.scan(FLAGS)]

    def history(self, name: str) -> list[RecordedEvent[Event]]:
        """Everything that ever happened to the flag. Raises FlagNotFound."""
        events = self._core.log.read_stream(flag_stream(name))
        if not events:
            raise FlagNotFound(flag=name)
        return events

    def is_enabled(self, flag: str, unit: str, attributes: Mapping[str, object] = _NONE) -> bool:
        """Whether the unit gets the new code. From memory; an unknown flag is off.

        The first call loads the flags and starts a thread that follows the log; from then on a
        change made anywhere is seen here within a fraction of a second.
        """
        if not self._snapshot.started:
            self._snapshot.start()
        evaluate = self._snapshot.compiled.get(flag)
        return evaluate is not None and evaluate(unit, attributes)

    def value(
        self,
        flag: str,
        unit: str | None,
        attributes: Mapping[str, object] = _NONE,
        default: Any = None,
    ) -> Any:
        """The value of the variant that the unit gets. From memory, as `is_enabled`.

        `default` where the flag is not known. Raises UnitMissing where the unit is None and the
        answer depends on it.
        """
        if not self._snapshot.started:
            self._snapshot.start()
        found = self._snapshot.values.get(flag)
        return default if found is None else found(unit, attributes)

    def evaluate(
        self, flag: str, unit: str | None, attributes: Mapping[str, object] = _NONE
    ) -> Explanation:
        """Answer as `is_enabled` and `value` do, from memory, and say why.

        Executions tell the answer's `audience` (`none` where it has none), so that a wave is judged
        by its own audience.
        """
        if not self._snapshot.started:
            self._snapshot.start()
        return explain(self._snapshot.known(flag), unit, attributes)

    def explain(
        self, flag: str, unit: str | None, attributes: Mapping[str, object] = _NONE
    ) -> Explanation:
        """Why `is_enabled` and `value` answer as they do, up to date with the log."""
        self._snapshot.refresh()
        return explain(self._snapshot.flag(flag), unit, attributes)

    def _command(
        self, name: str, command: flags.FlagCommand, actor: Who, *, may_raise: bool = True
    ) -> Flag:
        who = as_actor(actor)

        def work(transaction: Transaction) -> None:
            flag = fold_flag(transaction, name)
            stage_exposure(transaction, flag, command, who, may_raise=may_raise)

        self._core.run(work, context(who))
        return self._core.get(FLAGS, name)
