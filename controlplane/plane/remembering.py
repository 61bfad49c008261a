"""What a control plane remembers: anything as of any moment, what changed, and all of it again."""

from collections.abc import Callable, Sequence

from controlplane.history.past import Differences, Known, Past
from controlplane.history.replaying import Replay
from controlplane.plane.core import Core
from controlplane.plane.moments import When
from controlplane.plane.past import as_of, diff
from controlplane.plane.rehearsals import AnyRules, rehearse, rulebook
from controlplane.plane.replays import replay
from controlplane.plane.rollouts import AnyPlan
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rehearsal.tallies import Rehearsal
from controlplane.rehearsal.walk import EVERY_US, Progress
from events.timestamps import SECOND


class Remembering:
    """The questions of a ControlPlane to its past."""

    _core: Core

    def as_of(self, at: When, known: Known = "then") -> Past:
        """Everything as it stood at a moment or log position; nothing can be changed from there.

        `known`: by what had been recorded by `then`, or by what is known `now` of that moment:
        with the executions that had happened by then and were recorded later. Raises InvalidInput.
        """
        return as_of(self._core, at, known)

    def diff(self, before: When, after: When, known: Known = "then") -> Differences:
        """What changed between two moments or log positions. Raises InvalidInput."""
        return diff(self._core, before, after, known)

    def replay(
        self,
        of: str | None = None,
        *,
        since: When | None = None,
        until: When | None = None,
        flag: str | None = None,
    ) -> Replay:
        """Go through an incident, a rollout, or what was recorded in a time, event by event.

        Its frames are made when they are asked for, and nothing is written. Raises
        IncidentNotFound, RolloutNotFound, FlagNotFound, InvalidInput.
        """
        return replay(self._core, of, since=since, until=until, flag=flag)

    def rehearse(
        self,
        plan: AnyPlan | None = None,
        rules: AnyRules | None = None,
        *,
        rulebooks: Sequence[Rulebook] = (),
        rollout: str | None = None,
        incident: str | None = None,
        since: When | None = None,
        until: When | None = None,
        flag: str | None = None,
        every: float = EVERY_US / SECOND,
        progress: Progress = lambda _done, _of: None,
        sees: Callable[[str], bool] = lambda _flag: True,
        most: int | None = None,
    ) -> Rehearsal:
        """Decide again, of what was recorded, under another plan, other alert rules, or both.

        `plan`, `rules`: as files, or their data; several side by side as `rulebooks`, each made
        by `controlplane.rulebook(plan=…, rules=…, name=…)`. Of a `rollout`, an `incident`, what
        was under way between `since` and `until`, or all there is; `every`: seconds between
        looks beside those recorded; `sees`: whether a flag is told of; `most`: how many events,
        and criteria at looks, all of it may take. Nothing is written. Raises RolloutNotFound,
        IncidentNotFound, FlagNotFound, InvalidInput.
        """
        tried = list(rulebooks)
        if plan is not None or rules is not None or not tried:
            tried.insert(0, rulebook(plan, rules))
        return rehearse(
            self._core,
            tried,
            rollout=rollout,
            incident=incident,
            since=since,
            until=until,
            flag=flag,
            every_us=round(every * SECOND),
            progress=progress,
            sees=sees,
            most=most,
        )
