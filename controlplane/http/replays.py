"""`/api/v1/replay`: a rollout, an incident or any time again, event by event; and decided again."""

from dataclasses import replace
from itertools import islice
from typing import Annotated

from fastapi import Depends, Query

from controlplane.access_errors import NotPermitted
from controlplane.errors import RolloutNotFound
from controlplane.history.replaying import Replay, Scene
from controlplane.history.retaking import retake_story
from controlplane.http.calls import After, Asking, Json, Limit, Plane, refuse_unseen, when
from controlplane.http.disclosure import narrowed
from controlplane.http.models.incidents import Frames
from controlplane.http.models.replays import Retaken
from controlplane.http.route import router
from controlplane.incident_errors import IncidentNotFound
from controlplane.plane.tokens import Caller
from controlplane.replaying_views import retaken_view, scene_view
from events.freezes import FreezeEvent

routes = router("replay", prefix="/api/v1/replay")

_A_MOMENT = "A moment (ISO 8601 with a zone), or a log position."
Moment = Annotated[str | None, Query(min_length=1, max_length=40, description=_A_MOMENT)]


def _story(
    plane: Plane,
    asking: Asking,
    of: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description="An incident or a rollout."),
    ] = None,
    since: Moment = None,
    until: Moment = None,
    flag: Annotated[
        str | None, Query(min_length=1, max_length=100, description="Only what is about this flag.")
    ] = None,
) -> Replay:
    if flag is not None:
        refuse_unseen(asking, flag)
    _refuse_others(plane.replay(of, flag=flag), of, asking)
    begin, end = (None if at is None else when(at) for at in (since, until))
    return plane.replay(of, since=begin, until=end, flag=flag)


Story = Annotated[Replay, Depends(_story)]


@routes.get("/frames", response_model=Frames)
def replay_frames(story: Story, asking: Asking, after: After = 0, limit: Limit = 100) -> Json:
    """Go through it again, event by event: what each altered, and what could then be seen."""
    return frames_of(story, asking, after, limit)


@routes.get("/check", response_model=Retaken)
def replay_check(story: Story) -> Json:
    """Take every decision again, from the events alone, and compare event for event."""
    return retaken_view(retake_story(story))


def frames_of(story: Replay, asking: Caller, after: int, limit: int) -> Json:
    """A page of frames; `next` is where to go on."""
    scenes = list(islice(story.scenes(after), limit + 1))
    shown, more = scenes[:limit], len(scenes) > limit
    return {
        "items": [scene_view(_narrowed(scene, asking)) for scene in shown],
        "next": shown[-1].event.position if more else None,
    }


def _narrowed(scene: Scene, asking: Caller) -> Scene:
    """Without what a freeze tells of flags that the token is not for."""
    of_all = bool(asking.flags) and isinstance(scene.event.event, FreezeEvent)
    changes = () if of_all else scene.changes
    return replace(scene, event=narrowed(scene.event, asking), changes=changes)


def _refuse_others(story: Replay, of: str | None, asking: Caller) -> None:
    """Raise where a token is narrowed to other flags: to it, there is none."""
    if story.flag is None and asking.flags:
        raise NotPermitted(
            actor=asking.actor.id,
            roles=", ".join(asking.roles),
            permission=f"a replay of all flags, only of {', '.join(asking.flags)}",
        )
    if of is not None and not asking.sees(story.flag or ""):
        if of.startswith("INC-"):
            raise IncidentNotFound(incident=of)
        raise RolloutNotFound(rollout=of)
