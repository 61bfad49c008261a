"""`plane.incidents`: the Python API of incidents."""

from collections.abc import Iterator

from controlplane import incidents
from controlplane.errors import FlagNotFound
from controlplane.execution import Transaction
from controlplane.history.bundles import written
from controlplane.history.stories import Report, report, story_of
from controlplane.incident_errors import IncidentNotFound
from controlplane.plane.alarms import fold_incidents
from controlplane.plane.consequences import fold_flag
from controlplane.plane.core import Core, Who, as_actor, context
from controlplane.reading import newest_first
from events.alerts import Severity
from events.incidents import INCIDENT_STREAM, IncidentOpened
from projections.incidents import INCIDENTS, Incident


class Incidents:
    """What went wrong, with all that belongs to it."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def open(self) -> list[Incident]:
        """Those that nobody has closed, the latest first."""
        return [incident for incident in self.all() if incident.is_open]

    def all(self) -> list[Incident]:
        """All incidents, the latest first."""
        return newest_first(row for _, row in self._core.scan(INCIDENTS))

    def get(self, id_: str) -> Incident:
        """One incident. Raises IncidentNotFound."""
        return incidents.find(self._core.get(INCIDENTS, self._flag_of(id_)), id_)

    def report(self, id_: str) -> Report:
        """All that belongs to it: alerts, people, changes, and how fast each step was.

        Raises IncidentNotFound.
        """
        log, now = self._core.history.log, self._core.clock()
        return report(self._core, log, self.get(id_), now)

    def export(self, id_: str) -> Iterator[bytes]:
        """The lines of a file with all that its replay needs, to be opened anywhere.

        Raises IncidentNotFound.
        """
        incident = self.get(id_)
        story = story_of(self._core, self._core.history, incident)
        return written(story, incident.flag, self._core.clock())

    def declare(
        self, flag: str, *, actor: Who, reason: str, severity: Severity = "critical"
    ) -> Incident:
        """Open one by hand; alerts on the flag join it until it is closed.

        Raises FlagNotFound, IncidentIsOpen, InvalidInput without a reason.
        """

        def work(transaction: Transaction) -> str:
            found = fold_flag(transaction, flag)
            if not found.exists:
                raise FlagNotFound(flag=flag)
            standing, number = fold_incidents(transaction, flag)
            command = incidents.OpenIncident(
                reason=reason, severity=severity, rollout=found.rollout
            )
            (opened,) = incidents.decide(standing, command, number)
            transaction.stage(INCIDENT_STREAM, [opened], belongs_to=opened.incident)
            return opened.incident

        return self.get(self._core.run(work, context(actor)))

    def note(self, id_: str, note: str, *, actor: Who) -> Incident:
        """Write something down about it. Raises IncidentNotFound, InvalidInput."""
        return self._command(id_, incidents.NoteIncident(incident=id_, note=note), actor)

    def close(self, id_: str, *, actor: Who, reason: str) -> Incident:
        """Say that it is over. An alert within 15 min of it opens it again.

        Raises IncidentNotFound, IncidentIsClosed, IncidentNotOver while an alert of it is open,
        NotAPerson, InvalidInput without a reason.
        """
        who = as_actor(actor)
        command = incidents.CloseIncident(incident=id_, reason=reason, closed_by=who)
        return self._command(id_, command, who)

    def _command(self, id_: str, command: incidents.IncidentCommand, actor: Who) -> Incident:
        flag = self._flag_of(id_)

        def work(transaction: Transaction) -> None:
            standing, number = fold_incidents(transaction, flag)
            decided = incidents.decide(standing, command, number)
            transaction.stage(INCIDENT_STREAM, decided, belongs_to=id_)

        self._core.run(work, context(actor))
        return self.get(id_)

    def _flag_of(self, id_: str) -> str:
        for recorded in self._core.log.read_stream(INCIDENT_STREAM):
            event = recorded.event
            if isinstance(event, IncidentOpened) and event.incident == id_:
                return event.flag
        raise IncidentNotFound(incident=id_)
