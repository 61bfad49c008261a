"""Stepping is seeking: a replay's frames are the worlds between which its events lie."""

from itertools import islice
from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from events.log import ReadOnly
from projections.changes import FACTS, between
from projections.flags import FLAGS
from projections.frames import Stepping, frames
from projections.metrics import TOTALS
from projections.replay import History
from projections.snapshots import MemorySnapshots
from projections.timelines import about, elsewhere, stretch, told
from tests.projections.flag_events import created, enabled, exposed
from tests.projections.histories import flags, histories
from tests.projections.recording import At, execution
from tests.projections.stores import ALL, log_of, plain_fold


def past_of(history: list[At], every: int = 3) -> History:
    return History(ReadOnly(log_of(history)), MemorySnapshots(), ALL, every)


@settings(max_examples=40)
@given(history=histories, start=st.integers(0, 5), data=st.data())
def test_rows_that_are_stepped_are_rows_that_are_sought(
    history: list[At], start: int, data: st.DataObject
) -> None:
    past = past_of(history)
    stepping = Stepping(past, min(start, len(history)))
    for event in past.log.read(stepping.position):
        for projection in data.draw(st.lists(st.sampled_from(ALL), max_size=3)):
            for key in plain_fold(projection, past.log.read()):
                stepping.get(projection, key)
        stepping.step(event)
        for projection in ALL:
            for key in plain_fold(projection, past.log.read()):
                sought = past.at(event.position).get(projection, key)
                assert projection.encode(stepping.get(projection, key)) == projection.encode(sought)


@settings(max_examples=40)
@given(history=histories)
def test_what_each_event_altered_is_what_differs_around_it(history: list[At]) -> None:
    past = past_of(history)
    found = list(frames(past, past.log.read()))
    assert [frame.event.position for frame in found] == list(range(1, len(history) + 1))
    for frame in found:
        before = past.at(frame.event.position - 1)
        assert frame.world.position == frame.event.position
        assert list(frame.changes) == between(before, frame.world)


def agrees(one: At) -> bool:
    """Whether the flag, the rollout and the alert that an event names are of one flag."""
    event: Any = one.event
    named = {
        getattr(event, "flag", None),
        getattr(event, "rollout", "-r").rpartition("-r")[0] or None
        if isinstance(getattr(event, "rollout", "-r"), str)
        else None,
        getattr(event, "alert", "").partition("/")[0] or None,
    }
    return len(named - {None}) < 2


@settings(max_examples=30)
@given(history=histories.map(lambda history: [*filter(agrees, history)]), flag=flags)
def test_the_frames_of_one_flag_alter_what_all_frames_alter_of_it(
    history: list[At], flag: str
) -> None:
    past = past_of(history)
    story = about(flag, past.log.read(), elsewhere(flag, past.log))
    own = {f.event.position: f.changes for f in frames(past, story)}
    every = {f.event.position: f.changes for f in frames(past, past.log.read())}
    assert own == {position: every[position] for position in own}


@settings(max_examples=30)
@given(history=histories)
def test_a_replay_leaves_the_log_as_it_was(history: list[At]) -> None:
    log = log_of(history)
    head, events = log.head(), log.read()
    with patch.object(log, "append", side_effect=AssertionError("a replay wrote")):
        past = History(ReadOnly(log), MemorySnapshots(), ALL, every=3)
        for frame in frames(past, past.log.read()):
            for projection, _ in FACTS:
                frame.world.scan(projection)
    assert (log.head(), log.read()) == (head, events)


def test_a_frame_is_made_when_it_is_asked_for() -> None:
    log = log_of([created, *[execution()] * 50])
    past = History(log, MemorySnapshots(), ALL, every=100)
    read: list[int] = []
    whole = log.read

    def noted(after: int = 0, limit: int = 1000) -> list:  # type: ignore[type-arg]  # why: events of any kind
        read.append(after + limit)
        return whole(after, limit)

    with patch.object(log, "read", noted), patch("projections.timelines._PAGE", 5):
        three = list(islice(frames(past, stretch(log, 0, 51)), 3))
    assert [frame.event.position for frame in three] == [1, 2, 3]
    assert max(read) <= 5
    assert three[2].world.get(TOTALS, "checkout/on").executions == 2


def test_changes_are_the_few_facts_that_people_speak_of() -> None:
    past = past_of([created, enabled, exposed(25), execution(failed=True)])  # type: ignore[list-item]  # why: bare events are taken, too
    *_, moved, ran = frames(past, past.log.read())
    assert [(c.projection, c.fact, c.before, c.after) for c in moved.changes] == [
        ("flags", "percentage of everyone", None, 25.0)
    ]
    assert [(c.fact, c.before, c.after) for c in ran.changes if c.fact == "failed"] == [
        ("failed", None, 1)
    ]
    assert ran.world.get(FLAGS, "checkout").percentage == 25


def test_of_a_stretch_only_what_lies_in_it_is_told() -> None:
    log = log_of([created, *[execution()] * 5, enabled])
    assert [event.position for event in stretch(log, 1, 4)] == [2, 3, 4]
    assert [event.position for event in stretch(log, 0, 99)] == [1, 2, 3, 4, 5, 6, 7]
    assert list(stretch(log, 7, 7)) == []
    assert [event.type for event in told(stretch(log, 0, 7))] == ["flag.created", "flag.enabled"]
