"""`plane.alerts`: the Python API of alerts, and the watching of the rules."""

import logging
from collections.abc import Callable

from controlplane import alerts, taking_off
from controlplane.access_errors import SilenceNotPermitted
from controlplane.errors import AlertNotFound
from controlplane.execution import Transaction
from controlplane.plane.alarms import stage_alert
from controlplane.plane.consequences import fold_flag, refuse_asker_of_rollout, switch_off
from controlplane.plane.core import Core, Who, as_actor, context
from controlplane.reading import worst_first
from controlplane.rules.catalog import WATCHED
from controlplane.rules.looking import judged, watched
from controlplane.rules.rule import Watched
from controlplane.taking_off import WATCHER
from events.alerts import AlertRaised, alert_stream
from events.errors import LogUnavailable
from events.event import Actor
from events.log import Query
from projections.alerts import ALERTS, Alert
from projections.flags import FLAGS, Flag
from projections.projection import Projection, S

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
"""Looks, until all that is seen is of one moment."""


class Alerts:
    """What is wrong, and who is on it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def open(self) -> list[Alert]:
        """The alerts that are open, the worst and latest first."""
        return [alert for alert in self.all() if alert.open]

    def all(self) -> list[Alert]:
        """The latest alert of every rule and flag, open ones first."""
        return worst_first(alert for _, alert in self._core.scan(ALERTS))

    def get(self, id_: str) -> Alert:
        """One alert, if it is the latest of its rule. Raises AlertNotFound."""
        flag, rule = _parts(id_)
        alert = self._core.get(ALERTS, alert_stream(flag, rule))
        if alert.id != id_:
            raise AlertNotFound(alert=id_)
        return alert

    def acknowledge(self, id_: str, *, actor: Who, note: str = "") -> Alert:
        """Say that you are on it. Raises AlertNotFound, AlertClosed."""
        return self._command(id_, alerts.Acknowledge(alert=id_, note=note), actor)

    def resolve(
        self, id_: str, *, actor: Who, reason: str, may_silence_critical: bool = True
    ) -> Alert:
        """Close it. If its condition still holds, it is raised anew.

        Raises AlertNotFound, AlertClosed, InvalidInput without a reason; for a critical one
        SilenceNotPermitted to who may not, SamePerson to who asked for the rollout it holds up.
        """
        who = as_actor(actor)
        if not may_silence_critical and self.get(id_).severity == "critical":
            raise SilenceNotPermitted(actor=who.id, alert=id_)
        command = alerts.Resolve(alert=id_, reason=reason)
        return self._command(id_, command, who, refuse_asker_of_rollout)

    def _command(
        self,
        id_: str,
        command: alerts.AlertCommand,
        actor: Who,
        refuse: Callable[[Transaction, Alert, Actor], None] = lambda *_: None,
    ) -> Alert:
        stream, who = alert_stream(*_parts(id_)), as_actor(actor)

        def work(transaction: Transaction) -> None:
            alert = transaction.fold(ALERTS, stream, stream)
            decided = alerts.decide(alert, command)
            refuse(transaction, alert, who)
            transaction.stage(stream, decided)

        self._core.run(work, context(who))
        return self._core.get(ALERTS, stream)

    def watch(self) -> list[Alert]:
        """One look of every rule at every flag: raise, resolve, and switch off where due."""
        for name, flag in self._core.scan(FLAGS):
            if not flag.archived:
                try:
                    self._watch_flag(name)
                except LogUnavailable:
                    raise  # The others would fail alike.
                except Exception:
                    logger.exception("%s could not be watched; the others are", flag.name)
        return self.open()

    def _watch_flag(self, name: str) -> None:
        seen, as_of = self._look(name)
        if not seen.flag.exists or seen.flag.archived:
            return
        # Those that switch the flag off come last: what follows the first of them is moot.
        for rule in sorted(WATCHED.values(), key=lambda rule: rule.disables_flag):
            finding = judged(rule, seen)
            if finding.state != "no_data":
                report = alerts.Report(
                    rule=rule, flag=name, finding=finding, judged_at=seen.now, as_of=as_of
                )
                self._report(report, seen.flag)

    def _look(self, flag: str) -> tuple[Watched, int]:
        """All that a rule may know, and the log position that it is of; 0 where it is of several.

        So anybody can look again, later, at the very same.
        """
        self._core.runner.catch_up()
        for _ in range(_ATTEMPTS):
            rows = _Noting(self._core)
            seen = watched(rows, flag, self._core.clock())
            if len(rows.positions) == 1:
                return seen, rows.positions.pop()
        return seen, 0

    def _report(self, report: alerts.Report, seen: Flag) -> None:
        rule, finding = report.rule, report.finding
        stream = alert_stream(seen.name, rule.name)
        known = self._core.rows.get(ALERTS, stream)
        acts = taking_off.is_due(rule, finding)
        if not acts and (finding.state == "firing") == (known is not None and known.open):
            return  # Nothing new: no need to read the stream.

        def work(transaction: Transaction) -> None:
            flag = fold_flag(transaction, seen.name)
            if (flag.enabled, flag.enabled_at) != (seen.enabled, seen.enabled_at):
                return  # Switched since: what was judged is answered for.
            alert = transaction.fold(ALERTS, stream, stream)
            cause = stage_alert(transaction, flag, stream, alerts.decide(alert, report))
            if acts:
                why, cause = taking_off.reason(rule, finding), cause or self._raised(stream)
                switch_off(transaction, flag, why, by=WATCHER.id, trigger="alert", cause=cause)

        self._core.run(work, context(WATCHER))

    def _raised(self, stream: str) -> str | None:
        """The event that raised the alert which is open already."""
        query = Query(stream=stream, type=AlertRaised.TYPE, newest_first=True, limit=1)
        return next((recorded.id for recorded in self._core.log.search(query)), None)


class _Noting:
    """Rows, and the log positions that they were of."""

    def __init__(self, core: Core) -> None:
        self.positions: set[int] = set()
        self._rows = core.rows

    def get(self, projection: Projection[S], key: str) -> S:
        """One row; its initial state where there is none."""
        state, position = self._rows.get_as_of(projection, key)
        self.positions.add(position)
        return state


def _parts(id_: str) -> tuple[str, str]:
    """Flag and rule of an alert's id. Raises AlertNotFound for what is no id."""
    parts = id_.split("/")
    if len(parts) != 3:  # noqa: PLR2004  why: flag/RULE/number
        raise AlertNotFound(alert=id_)
    return parts[0], parts[1]
