"""`plane.replay`: which stretch of the log an incident is, or a rollout, or a time."""

from dataclasses import replace

from controlplane.errors import FlagNotFound, InvalidInput
from controlplane.history.replaying import Replay
from controlplane.history.stories import story_of
from controlplane.plane.core import Core
from controlplane.plane.incidents import Incidents
from controlplane.plane.moments import When, place
from controlplane.reading import world_of
from events.rollouts import rollout_stream
from projections.flags import FLAGS


def replay(
    core: Core,
    of: str | None = None,
    *,
    since: When | None = None,
    until: When | None = None,
    flag: str | None = None,
) -> Replay:
    """An incident, a rollout, or all that was recorded in a time.

    Raises IncidentNotFound, RolloutNotFound, FlagNotFound, InvalidInput.
    """
    if of is not None and flag is not None:
        raise InvalidInput(reason=f"{of} is of one flag anyhow: leave the flag out")
    if of is None:
        return _time(core, since, until, flag)
    if of.startswith("INC-"):
        found = story_of(core, core.history, Incidents(core).get(of))
    else:
        found = _rollout(core, of)
    start = found.start if since is None else place(core, since)[0]
    end = found.end if until is None else place(core, until)[0]
    return replace(found, start=start, end=_after(start, end))


def _rollout(core: Core, id_: str) -> Replay:
    rollout = world_of(core, id_, core.clock()).rollout
    stream = core.log.read_stream(rollout_stream(id_))
    end = stream[-1].position if rollout.is_final else core.log.head().position
    return Replay(id_, core.history, rollout.flag, stream[0].position - 1, end)


def _time(core: Core, since: When | None, until: When | None, flag: str | None) -> Replay:
    if flag is not None and not core.get(FLAGS, flag).exists:
        raise FlagNotFound(flag=flag)
    start = 0 if since is None else place(core, since)[0]
    end = core.log.head().position if until is None else place(core, until)[0]
    return Replay(flag or core.log.environment, core.history, flag, start, _after(start, end))


def _after(start: int, end: int) -> int:
    if end < start:
        raise InvalidInput(reason=f"it would begin at log position {start}, after its end, {end}")
    return end
