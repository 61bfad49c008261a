"""Where a replay stands, and what keys and the passing of time make of it."""

from io import StringIO

import pytest
from rich.console import Console

from controlplane import ControlPlane
from controlplane.cli.keys import named
from controlplane.cli.player import LONGEST_SECONDS, SHORTEST_SECONDS, Player, Stop
from controlplane.cli.replay import _stop
from controlplane.cli.screen import screen
from events.timestamps import HOUR, SECOND
from tests.journeys.traffic import ENGINEER, FLAG, Clock, batch, plan


def player(kinds: str = "xaxxpxx", every: int = SECOND) -> Player:
    """`x`: an execution, `a`: an alert, `p`: a person, `o`: something else."""
    return Player(
        [
            Stop(10 * n + 1, n * every, f"{kind}{n}", kind == "x", kind in "ap")
            for n, kind in enumerate(kinds)
        ]
    )


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("right", 1),
        ("right right left", 1),
        ("left", 0),
        ("end", 6),
        ("end right", 6),
        ("end home", 0),
        ("n", 1),
        ("shift-right shift-right", 4),
        ("n n n", 4),
        ("end p", 4),
        ("end shift-left p p", 1),
        ("e right", 1),
        ("e right right", 4),
        ("e right right right", 4),
        ("x y z", 0),
    ],
)
def test_keys_lead_from_event_to_event(keys: str, place: int) -> None:
    one = player()
    for key in keys.split():
        one.press(key)
    assert one.place == place


def test_a_position_is_sought_at_or_before_it() -> None:
    one = player()
    for position, place in ((1, 0), (10, 0), (11, 1), (35, 3), (999, 6), (0, 0)):
        one.seek(position)
        assert one.place == place


def test_it_plays_at_a_pace_and_cuts_gaps_short() -> None:
    one = player()
    assert one.pause_seconds() is None
    one.press("space")
    for key, seconds in (("1", 1.0), ("2", 0.1), ("3", SHORTEST_SECONDS)):
        one.press(key)
        assert one.pause_seconds() == pytest.approx(seconds)
    slow = player(every=HOUR)
    slow.press("space")
    assert slow.pause_seconds() == LONGEST_SECONDS


def test_it_plays_to_the_end_and_begins_anew_from_there() -> None:
    one = player()
    one.press("space")
    for _ in range(6):
        assert one.playing
        one.tick()
    assert one.place == 6
    assert one.pause_seconds() is None
    one.tick()
    assert not one.playing
    one.press("space")
    assert (one.place, one.playing) == (0, True)
    one.press("space")
    assert (one.place, one.playing) == (0, False)


def test_whoever_takes_it_by_hand_stops_it() -> None:
    for key in ("left", "right", "home", "end", "n", "p"):
        one = player()
        one.press("space")
        one.press(key)
        assert not one.playing


def test_it_is_left_by_a_key() -> None:
    for key in ("q", "interrupt"):
        one = player()
        one.press(key)
        assert one.left


def test_keys_are_told_apart_however_a_terminal_writes_them() -> None:
    assert named("\x1b[C\x1b[D q") == ["right", "left", "space", "q"]
    assert named("\x1b[1;2C\x1b[1;2D") == ["shift-right", "shift-left"]
    assert named("\x1b[H\x1bOH\x1b[1~\x1b[F\x1bOF\x1b[4~") == [*["home"] * 3, *["end"] * 3]
    assert named("n3\x03") == ["n", "3", "interrupt"]
    assert named("") == []


@pytest.mark.parametrize(("width", "height"), [(150, 45), (80, 24), (20, 5)])
def test_any_moment_can_be_shown_on_a_screen_of_any_size(
    clock: Clock, width: int, height: int
) -> None:
    remembered = ControlPlane("memory://", clock=clock)
    remembered.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    remembered.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    remembered.executions.record([batch(violations={"order": 1}, ms=5) for _ in range(5)])
    remembered.tick()
    found = remembered.replay(flag=FLAG)
    one = Player([_stop(event, FLAG) for event in found.events()])
    for place, scene in enumerate(found.scenes()):
        one.place = place
        text = StringIO()
        console = Console(file=text, width=width, height=height)
        console.print(screen(one, scene, found.title, one.stops[0].at, height))
        assert scene == found.scene(scene.event)
        assert len(text.getvalue().splitlines()) <= height + 1
    if width > 100:
        assert "INVARIANT_VIOLATION_DETECTED/1" in text.getvalue()
        assert "nobody gets the new code" in text.getvalue()
