"""Where a replay stands, and what keys and the passing of time make of it."""

from collections.abc import Iterator
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from controlplane import ControlPlane
from controlplane.cli.keys import Typed
from controlplane.cli.player import LONGEST_SECONDS, SHORTEST_SECONDS, Player, Stop
from controlplane.cli.replay import _stop
from controlplane.cli.screen import screen
from controlplane.cli.texts import relative
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


def test_where_nothing_follows_it_does_not_play() -> None:
    alone = player("p")
    alone.press("space")
    assert not alone.playing
    hidden = player("pxx")
    hidden.press("space")
    hidden.press("e")
    assert not hidden.playing, "all that follows is passed over"


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


def typing(one: Player, text: str) -> Player:
    for key in ("g", *text):
        one.press("space" if key == " " else key)
    return one


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0), ("31", 3), ("35", 3), (" 61 ", 6), ("+0:00:03", 3), ("+3.5", 3), ("+0:02", 2),
        ("+0:00:00", 0), ("1970-01-01T00:00:05Z", 5), ("1970-01-01T01:00:05.5+01:00", 5),
    ],
)  # fmt: skip
def test_one_goes_to_a_position_or_a_time(text: str, place: int) -> None:
    one = typing(player(), text)
    one.press("enter")
    assert (one.place, one.prompt) == (place, None)


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("0", "there are positions 1 to 61"),
        ("999", "there are positions 1 to 61"),
        ("noon", "type a log position"),
        ("+1:00:00", "it goes from 1970-01-01T00:00:00Z to 1970-01-01T00:00:06Z"),
        ("-5", "it goes from"),
        ("1970-01-01T00:00:05", "type a log position"),
        ("q?g", "type a log position"),
        ("9" * 99, "there are positions"),
    ],
)
def test_where_one_cannot_go_is_told_and_can_be_mended(text: str, trouble: str) -> None:
    one = typing(player(), text)
    one.press("enter")
    assert one.place == 0
    assert one.prompt is not None
    assert trouble in one.prompt.trouble
    for _ in text:
        one.press("backspace")
    assert (one.prompt.text, one.prompt.trouble) == ("", "")
    for key in ("2", "1", "enter"):
        one.press(key)
    assert (one.place, one.prompt) == (2, None)


def test_esc_or_nothing_leaves_the_prompt_and_ctrl_c_the_player() -> None:
    for key in ("escape", "enter"):
        one = typing(player(), "")
        one.press(key)
        assert (one.prompt, one.place, one.left) == (None, 0, False)
    one = typing(player(), "12")
    one.press("interrupt")
    assert one.left


def test_the_keys_are_shown_until_any_is_pressed() -> None:
    one = player()
    one.press("?")
    assert one.tells_keys
    one.press("right")
    assert (one.tells_keys, one.place) == (False, 0)
    one.press("?")
    one.press("q")
    assert one.left


def test_what_one_command_led_to_is_one_step() -> None:
    def stop(number: int, by: str, at: int, *, notable: bool = True) -> Stop:
        return Stop(number, at, "", is_execution=False, is_notable=notable, by=by)

    ana, ben, rules = "ana", "ben", "alert-f-SLOW"
    one = Player([
        stop(1, ana, 5), stop(2, ana, 5), stop(3, "evaluation", 5, notable=False), stop(4, ana, 5),
        stop(5, ana, 6), stop(6, ben, 6), stop(7, rules, 6), stop(8, rules, 9),
    ])  # fmt: skip
    seen = []
    for key in ("n", "n", "n", "n", "n", "p", "p", "p", "p", "p"):
        one.press(key)
        seen.append(one.stop.position)
    assert seen == [5, 6, 7, 8, 8, 7, 6, 5, 1, 1]


def test_times_of_short_stories_are_told_by_less_than_a_second() -> None:
    for every, digits, last in (
        (SECOND // 7, 3, "+0:00:00.857"),
        (30 * SECOND, 1, "+0:03:00.0"),
        (HOUR, 0, "+6:00:00"),
    ):
        one = player(every=every)
        assert one.digits == digits
        assert relative(one.stops[-1].at, one.digits) == last
    assert relative(-5_249_999, 1) == "-0:00:05.2"
    assert relative(-400, 3) == "+0:00:00.000"


def named(text: str) -> list[str]:
    return Typed().keys(text.encode())


def test_keys_are_told_apart_however_a_terminal_writes_them() -> None:
    assert named("\x1b[C\x1b[D q") == ["right", "left", "space", "q"]
    assert named("\x1b[1;2C\x1b[1;2D") == ["shift-right", "shift-left"]
    assert named("\x1b[H\x1bOH\x1b[1~\x1b[F\x1bOF\x1b[4~") == [*["home"] * 3, *["end"] * 3]
    assert named("n3\x03\x1a") == ["n", "3", "interrupt", "suspend"]
    assert named("\r\n\x7f\b") == ["enter", "enter", "backspace", "backspace"]
    assert named("") == []


def test_a_key_without_a_name_is_no_other_key() -> None:
    for delete_f5_up_alt_q in ("\x1b[3~", "\x1b[15~", "\x1b[A", "\x1bq", "\x1b[1;5C"):
        assert named(delete_f5_up_alt_q) == []


@given(keys=st.lists(st.sampled_from(["\x1b[C", "\x1b[1;2D", "\x1bOH", "q", "ß", "\x1b[3~"])),
       size=st.integers(1, 7))  # fmt: skip
def test_keys_that_come_in_pieces_are_the_same_keys(keys: list[str], size: int) -> None:
    data, typed = "".join(keys).encode(), Typed()
    pieces = [typed.keys(data[at : at + size]) for at in range(0, len(data), size)]
    assert [key for piece in pieces for key in piece] == named("".join(keys))


def test_esc_alone_does_not_swallow_the_next_key() -> None:
    typed = Typed()
    assert typed.keys(b"\x1b") == []
    assert typed.has_begun
    assert typed.pause() == ["escape"]
    assert typed.keys(b"q") == ["q"]
    assert typed.keys(b"\x1b[1;") == typed.pause() == [], "half a key is none"


@given(
    kinds=st.text("xapo", min_size=1, max_size=30),
    keys=st.lists(st.sampled_from(["right", "left", "n", "p", "e", "end", "home"])),
    rows=st.integers(1, 12),
)
def test_the_events_listed_are_those_around_the_present_one(
    kinds: str, keys: list[str], rows: int
) -> None:
    one = player(kinds)
    for key in keys:
        one.press(key)
    stops = [n for n, s in enumerate(one.stops) if one.executions or not s.is_execution]
    listed = one.around(rows)
    assert one.place in listed
    assert len(listed) == min(rows, len({*stops, one.place}))
    whole = sorted({*stops, one.place})
    assert listed == whole[whole.index(listed[0]) :][: len(listed)]


@pytest.mark.parametrize(
    ("width", "height"), [(150, 45), (80, 24), (60, 40), (60, 15), (40, 10), (20, 5)]
)
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
        console.print(screen(one, scene, found.title, (width, height)))
        assert scene == found.scene(scene.event)
        assert len(text.getvalue().splitlines()) <= height + 1
    told = text.getvalue()
    if width > 100:
        assert "INVARIANT_VIOLATION_DETECTED/1" in told
        assert "nobody gets the new code" in told
    if width >= 60:
        assert "q quit" in told, "how it is left stands on every screen"
        assert f"event {len(one.stops)} of {len(one.stops)}" in told
        assert "no alert is open" in told or "critical" in told


@pytest.mark.parametrize(("width", "height"), [(150, 45), (80, 24), (40, 10), (20, 5)])
def test_keys_and_prompt_are_shown_on_a_screen_of_any_size(
    clock: Clock, width: int, height: int
) -> None:
    remembered = ControlPlane("memory://", clock=clock)
    remembered.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    found = remembered.replay(flag=FLAG)
    (scene,) = found.scenes()
    one = Player([_stop(scene.event, FLAG)])

    def shown() -> str:
        console = Console(file=StringIO(), width=width, height=height)
        with console.capture() as captured:
            console.print(screen(one, scene, found.title, (width, height)))
        assert len(captured.get().splitlines()) <= height + 1
        return captured.get()

    one.press("?")
    assert height < 10 or "the event before" in shown()
    one.press("x")
    typing(one, "7")
    assert height < 10 or "go to 7" in shown()
    one.press("enter")
    assert width < 60 or "there are positions 1 to 1" in shown()
    typing(one, "\x1b[2J\x9b")
    assert "\x1b" not in shown()


def test_what_a_file_says_of_itself_does_not_steer_the_terminal(clock: Clock) -> None:
    remembered = ControlPlane("memory://", clock=clock)
    remembered.flags.create(FLAG, owner="patch-team", actor="\x1b[2J")
    found = remembered.replay(flag=FLAG)
    (scene,) = found.scenes()
    one = Player([_stop(scene.event, FLAG)])
    text = StringIO()
    Console(file=text, width=80, height=24).print(screen(one, scene, "\x1b]0;x", (80, 24)))
    assert "\x1b" not in text.getvalue()


def test_of_a_million_events_only_those_that_are_listed_are_gone_through() -> None:
    class Counted(list[Stop]):
        seen = 0

        def __iter__(self) -> Iterator[Stop]:
            for stop in super().__iter__():
                self.seen += 1
                yield stop

    stops = Counted(player("xapo" * 250).stops)
    one = Player(stops)
    for key in ("e", "right", "n", "p", "left", "end", "home") * 20:
        one.press(key)
        assert len(one.around(10)) == 10
    assert stops.seen <= 4 * len(stops), "once for each way to go"
