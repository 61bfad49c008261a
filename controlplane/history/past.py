"""Everything as it stood at one moment. Nothing can be changed from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from controlplane import bucketing
from controlplane.errors import AlertNotFound, FlagNotThere
from controlplane.incident_errors import IncidentNotFound
from controlplane.measurements import Measurements
from controlplane.reading import (
    Explanation,
    Status,
    latest_first,
    newest_first,
    sentence,
    status_of,
    world_of,
    worst_first,
)
from events.log import Replayable
from events.rollouts import rollout_stream
from events.timestamps import Timestamp
from projections.alerts import ALERTS, Alert
from projections.changes import Change
from projections.flags import FLAGS, Flag
from projections.incidents import INCIDENTS, Incident
from projections.replay import PastWorld
from projections.rollouts import ROLLOUTS, Rollout

Known = Literal["then", "now"]
_NONE: Mapping[str, object] = {}


class Past:
    """One environment as of one moment."""

    def __init__(self, log: Replayable, world: PastWorld, moment: Timestamp, known: Known) -> None:
        self.position = world.position
        """Up to where the log was written."""
        self.moment = moment
        self.known: Known = known
        """`then`: by what had been recorded by the moment. `now`: by what was recorded later about
        what had happened by then, too."""
        self.world = world
        """Row by row, every read model."""
        self.flags = PastFlags(world)
        self.rollouts = PastRollouts(log, world, moment)
        self.alerts = PastAlerts(world)
        self.incidents = PastIncidents(world)
        self.metrics = Measurements(world)


class PastFlags:
    """Who got the new code."""

    def __init__(self, world: PastWorld) -> None:
        self._world = world

    def get(self, name: str) -> Flag:
        """The flag as it stood. Raises FlagNotThere, a FlagNotFound."""
        flag = self._world.get(FLAGS, name)
        if not flag.exists:
            raise FlagNotThere(flag=name, position=self._world.position)
        return flag

    def all(self) -> list[Flag]:
        """All flags, by name."""
        return [flag for _, flag in self._world.scan(FLAGS)]

    def explain(
        self, flag: str, unit: str | None, attributes: Mapping[str, object] = _NONE
    ) -> bucketing.Explanation:
        """What a unit would have got, and why. Raises UnitMissing."""
        return bucketing.explain(self._world.get(FLAGS, flag), unit, attributes)

    evaluate = explain


class PastRollouts:
    """Where rollouts stood."""

    def __init__(self, log: Replayable, world: PastWorld, moment: Timestamp) -> None:
        self._log = log
        self._world = world
        self._moment = moment

    def get(self, id_: str) -> Rollout:
        """The rollout as it stood. Raises RolloutNotFound where it was not drafted yet."""
        return world_of(self._world, id_, self._moment).rollout

    def all(self) -> list[Rollout]:
        """All rollouts, the latest first."""
        return latest_first(rollout for _, rollout in self._world.scan(ROLLOUTS))

    def status(self, id_: str) -> Status:
        """Where it stood, judged as of the moment. Raises RolloutNotFound."""
        return status_of(world_of(self._world, id_, self._moment))

    def explain(self, id_: str) -> Explanation:
        """Why it stood where it stood, and what had been decided. Raises RolloutNotFound."""
        status, position = self.status(id_), self._world.position
        stream = self._log.read_stream(rollout_stream(id_))
        history = tuple(event for event in stream if event.position <= position)
        return Explanation(status, position, sentence(status), history)


class PastAlerts:
    """What was wrong."""

    def __init__(self, world: PastWorld) -> None:
        self._world = world

    def open(self) -> list[Alert]:
        """The alerts that were open, the worst and latest first."""
        return [alert for alert in self.all() if alert.open]

    def all(self) -> list[Alert]:
        """The latest alert of every rule and flag, open ones first."""
        return worst_first(alert for _, alert in self._world.scan(ALERTS))

    def get(self, id_: str) -> Alert:
        """One alert, if it was the latest of its rule. Raises AlertNotFound."""
        for alert in self.all():
            if alert.id == id_:
                return alert
        raise AlertNotFound(alert=id_)


class PastIncidents:
    """What had gone wrong, and what people had said of it."""

    def __init__(self, world: PastWorld) -> None:
        self._world = world

    def open(self) -> list[Incident]:
        """Those that nobody had closed, the latest first."""
        return [incident for incident in self.all() if incident.is_open]

    def all(self) -> list[Incident]:
        """All incidents, the latest first."""
        return newest_first(row for _, row in self._world.scan(INCIDENTS))

    def get(self, id_: str) -> Incident:
        """One incident. Raises IncidentNotFound."""
        for incident in self.all():
            if incident.id == id_:
                return incident
        raise IncidentNotFound(incident=id_)


@dataclass(frozen=True, slots=True)
class Differences:
    """What changed from one moment to another."""

    before: Past
    after: Past
    changes: tuple[Change, ...]
