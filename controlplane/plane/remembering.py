"""What a control plane remembers: anything as of any moment, what changed, and all of it again."""

from controlplane.past import Differences, Known, Past
from controlplane.plane.core import Core
from controlplane.plane.moments import When
from controlplane.plane.past import as_of, diff
from controlplane.plane.replays import replay
from controlplane.replaying import Replay


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
