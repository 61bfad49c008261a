"""The laws of the past, over random lives of a whole control plane."""

import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from controlplane.history.past import Known
from controlplane.history.replaying import Replay
from controlplane.history.retaking import retake_story
from events.executions import BatchExecuted
from events.timestamps import MINUTE, Timestamp, to_iso
from projections.replay import PastWorld
from tests.journeys.traffic import FLAG
from tests.plane.lived import OTHER, Deed, Lived, R, Recorded, lived, lives
from tests.projections.stores import ALL, Contents, plain_fold

Make = Callable[[list[Deed]], AbstractContextManager[Lived]]
Counts = Counter[tuple[str, str, str]]
NEVER = 10**9
"""Events from one mark to the next, where there is to be none."""
OUTCOMES = ("succeeded", "failed", "rejected")
some = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
strides = st.integers(1, 9)


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Make:
    """A control plane that has lived such a life, in memory or in a file of its own."""
    folder = tmp_path_factory.mktemp("lives")

    def one(life: list[Deed]) -> AbstractContextManager[Lived]:
        if request.param == "memory":
            return lived(life, None)
        for file in folder.iterdir():
            file.unlink()
        return lived(life, Path(shutil.copy(sqlite_template, folder / "one.db")))

    return one


def test_random_lives_come_to_pass() -> None:
    wanted = {"rollout.rolled_back", "rollout.wave_judged", "incident.closed"}

    def comes(life: list[Deed]) -> bool:
        with lived(life, None) as found:
            wanted.difference_update(one.type for one in found.log())
        return not wanted

    find(lives, comes, settings=settings(max_examples=3000, phases=[Phase.generate]))


def seen(world: PastWorld) -> dict[str, Contents]:
    """Every row of every read model, as it is stored."""
    return {one.name: {key: one.encode(row) for key, row in world.scan(one)} for one in ALL}


def folded(events: list[Recorded]) -> dict[str, Contents]:
    return {one.name: plain_fold(one, events) for one in ALL}


@some
@given(life=lives, every=strides, data=st.data())
def test_as_of_any_position_it_is_a_fresh_fold_with_snapshots_and_without(
    make: Make, life: list[Deed], every: int, data: st.DataObject
) -> None:
    with make(life) as found:
        log, near = found.log(), found.history(every)
        near.take_snapshots()
        for position in data.draw(st.lists(st.integers(0, len(log)), min_size=1, max_size=3)):
            fresh = folded(log[:position])
            assert seen(found.plane.as_of(position).world) == fresh
            assert seen(near.at(position)) == fresh
            assert seen(found.history(NEVER).at(position)) == fresh
        found.plane.projections.catch_up()
        core, whole = found.plane._core, folded(log)
        for one in ALL:
            assert {key: one.encode(row) for key, row in core.scan(one)} == whole[one.name]


@some
@given(life=lives, every=strides, data=st.data())
def test_to_seek_a_scene_is_to_step_to_it_pictures_too(
    make: Make, life: list[Deed], every: int, data: st.DataObject
) -> None:
    with make(life) as found:
        head, log = found.plane.head().position, found.log()
        flag = data.draw(st.sampled_from([FLAG, OTHER, None]))
        start, after = data.draw(st.integers(0, head)), data.draw(st.integers(0, head))
        stepped = list(Replay("x", found.history(every), flag, start, head).scenes())
        sought = Replay("x", found.history(NEVER), flag, start, head)
        assert [sought.scene(one.event) for one in stepped] == stepped
        later = [one for one in stepped if one.event.position > after]
        assert list(sought.scenes(after)) == later
        frames = list(sought.frames(after))
        assert [(one.event, one.changes) for one in frames] == [
            (one.event, one.changes) for one in later
        ]
        for frame in frames[-1:]:
            assert seen(frame.world) == folded(log[: frame.event.position])


def a_moment(found: Lived, data: st.DataObject) -> Timestamp:
    """Any one from before the first event to now; most often at an event, or just beside it."""
    first = found.log()[0].recorded_at
    known = {one for event in found.log() for one in (event.occurred_at, event.recorded_at)}
    near = {one + by for one in known for by in (-1, 0, 1)}
    exactly = st.sampled_from(sorted(one for one in near if one <= found.clock.now))
    return data.draw(exactly | st.integers(first - MINUTE, found.clock.now), "at")


def happened(events: list[Recorded]) -> Counts:
    return Counter(
        (one.event.flag, one.event.cohort, one.event.outcome)
        for one in events
        if isinstance(one.event, BatchExecuted)
    )


def counted(found: Lived, at: str, known: Known) -> Counts:
    totals = found.plane.as_of(at, known).metrics.totals()
    return +Counter(
        {
            (*of, outcome): getattr(tally, outcome)
            for of, tally in totals.items()
            for outcome in OUTCOMES
        }
    )


@some
@given(life=lives, data=st.data())
def test_known_now_is_all_that_had_happened_and_known_then_what_had_been_recorded(
    make: Make, life: list[Deed], data: st.DataObject
) -> None:
    with make(life) as found:
        log, at = found.log(), a_moment(found, data)
        recorded = [one for one in log if one.recorded_at <= at]
        late = [one for one in log[len(recorded) :] if one.occurred_at <= at]
        then, now = (found.plane.as_of(to_iso(at), known) for known in ("then", "now"))
        assert then.position == now.position == len(recorded)
        assert counted(found, to_iso(at), "then") == happened(recorded)
        assert counted(found, to_iso(at), "now") == happened([*recorded, *late])
        known, was = seen(then.world), seen(now.world)
        in_time = [
            replace(one, recorded_at=one.occurred_at)
            for one in sorted(late, key=lambda one: one.occurred_at)
            if isinstance(one.event, BatchExecuted)
        ]
        assert (known, was) == (folded(recorded), folded([*recorded, *in_time]))
        for decided in ("flags", "rollouts", "alerts", "freezes", "incidents", "tokens"):
            assert known[decided] == was[decided]


@some
@given(life=lives, data=st.data())
def test_known_now_each_execution_lies_in_the_minute_in_which_it_happened(
    make: Make, life: list[Deed], data: st.DataObject
) -> None:
    with make(life) as found:
        at = a_moment(found, data)
        ran = [
            one.occurred_at // MINUTE
            for one in found.log()
            if happened([one]).keys() & {(FLAG, "on", "succeeded"), (FLAG, "on", "failed")}
            and min(one.occurred_at, one.recorded_at) <= at
        ]
        metrics = found.plane.as_of(to_iso(at), "now").metrics
        told = metrics.minutes(FLAG, "on", 0, 2 * found.clock.now)
        assert +Counter({minute: tally.executions for minute, tally in told}) == Counter(
            minute * MINUTE for minute in ran
        )


@some
@given(life=lives, more=lives, data=st.data())
def test_known_then_stays_what_it_was_and_known_now_only_grows(
    make: Make, life: list[Deed], more: list[Deed], data: st.DataObject
) -> None:
    with make(life) as found:
        at = to_iso(a_moment(found, data))
        past = found.plane.as_of(at)
        then, now = seen(past.world), counted(found, at, "now")
        found.clock.advance(1)
        found.live(more)
        assert found.plane.as_of(at).position == past.position
        assert seen(found.plane.as_of(at).world) == then
        assert counted(found, at, "now") >= now


@some
@given(life=lives, data=st.data())
def test_nothing_that_looks_back_changes_anything(
    make: Make, life: list[Deed], data: st.DataObject
) -> None:
    with make(life) as found:
        plane = found.plane
        plane.projections.catch_up()  # Questions to the present do so.
        before, head = found.tables(), plane.head()
        place = data.draw(st.integers(0, head.position))
        replays = [plane.replay(), plane.replay(flag=FLAG), plane.replay(since=place)]
        replays += [plane.replay(one.id) for one in plane.incidents.all()]
        replays += [plane.replay(R)] if plane.rollouts.all() else []
        for one in replays:
            assert [frame.world.position for frame in one] == [
                scene.event.position for scene in one.scenes()
            ]
            assert one.flag is None or retake_story(one).identical
        for known in ("then", "now"):
            plane.diff(place, head.position, known)  # type: ignore[arg-type]  # why: literals
            seen(plane.as_of(place, known).world)  # type: ignore[arg-type]  # why: idem
        for incident in plane.incidents.all():
            list(plane.incidents.export(incident.id))
        plane.projections.take_snapshots()
        assert (plane.head(), found.tables()) == (head, before)
