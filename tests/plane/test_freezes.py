"""Declaring and lifting freezes, from Python and from the terminal."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.calendars import parse
from controlplane.errors import FlagNotFound, FreezeNotFound, InvalidInput
from events.errors import InvalidEvent
from events.timestamps import DAY, HOUR, to_datetime, to_iso
from tests.cli.conftest import Terminal
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL

WEEKEND = {
    "name": "weekend",
    "rrule": "FREQ=WEEKLY;BYDAY=FR",
    "starts": "2026-09-25T16:00",
    "duration": "63h",
    "timezone": "Europe/Berlin",
}
"""The clock of these tests begins on Monday, 21 September 2026, at 13:33:20 UTC."""


def ids(plane: ControlPlane) -> list[str]:
    return [freeze.id for freeze in plane.freezes.all()]


def test_the_line_is_stopped_and_goes_on(plane: ControlPlane) -> None:
    assert plane.freezes.in_effect() is None
    stopped = plane.freezes.declare(reason="INC-7", actor=ON_CALL)
    assert (stopped.id, stopped.declared_by, stopped.ends_at) == ("freeze-1", ON_CALL, None)
    assert plane.freezes.in_effect() == plane.freezes.get("freeze-1") == stopped
    assert plane.freezes.lift("freeze-1", actor=ENGINEER, reason="over") == stopped
    assert (plane.freezes.all(), plane.freezes.in_effect()) == ([], None)
    declared, lifted = plane.events(stream="freezes")
    assert (declared.type, declared.actor.id) == ("freeze.declared", ON_CALL)
    assert (lifted.type, lifted.actor.id) == ("freeze.lifted", ENGINEER)
    assert plane.verify().position == 2


@pytest.mark.parametrize("form", [to_datetime, to_iso, lambda at: to_datetime(at).isoformat()])
def test_an_end_may_be_given_in_any_form(plane: ControlPlane, clock: Clock, form: Any) -> None:
    end = clock.now + HOUR
    assert plane.freezes.declare(reason="x", actor=ON_CALL, until=form(end)).ends_at == end
    clock.advance(HOUR - 1)
    assert plane.freezes.in_effect() is not None
    clock.advance(1)
    assert (plane.freezes.in_effect(), ids(plane)) == (None, ["freeze-1"])


@pytest.mark.parametrize("form", [dict, parse])
def test_a_calendar_comes_into_effect_by_itself(
    plane: ControlPlane, clock: Clock, form: Any
) -> None:
    calendar = plane.freezes.declare(reason="nobody there", actor=ENGINEER, window=form(WEEKEND))
    assert (calendar.name, plane.freezes.in_effect()) == ("weekend", None)
    clock.advance(5 * DAY)
    assert plane.freezes.in_effect() == calendar
    clock.advance(2 * DAY)
    assert plane.freezes.in_effect() is None


def test_a_window_takes_the_name_of_its_freeze(plane: ControlPlane) -> None:
    nameless = {field: value for field, value in WEEKEND.items() if field != "name"}
    with pytest.raises(InvalidInput, match="name: Field required"):
        plane.freezes.declare(reason="x", actor=ENGINEER, window=nameless)
    frozen = plane.freezes.declare(reason="x", actor=ENGINEER, window=nameless, name="quiet")
    assert frozen.name == "quiet"


@pytest.mark.parametrize("flags", [FLAG, (FLAG,), [FLAG, FLAG]])
def test_one_flag_may_be_held_and_others_go_on(flagged: ControlPlane, flags: Any) -> None:
    assert flagged.freezes.declare(reason="x", actor=ENGINEER, flags=flags).flags == (FLAG,)
    assert flagged.freezes.in_effect(FLAG) is not None
    assert flagged.freezes.in_effect("another") is None


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"reason": " "}, InvalidInput, "say why"),
        ({"reason": "x" * 2001}, InvalidEvent, "reason"),
        ({"name": "x" * 101}, InvalidEvent, "name"),
        ({"actor": ""}, InvalidInput, "say who acts"),
        ({"flags": ["nonsense"]}, FlagNotFound, "no flag nonsense"),
        ({"until": "tomorrow"}, InvalidInput, "tomorrow is no moment"),
        ({"until": "2026-12-01"}, InvalidInput, "has no time zone"),
        ({"until": datetime(2026, 12, 1)}, InvalidInput, "has no time zone"),  # noqa: DTZ001  why: without a zone on purpose
        ({"until": 7}, InvalidInput, "7 is no moment"),
        ({"until": "2020-01-01T00:00Z"}, InvalidInput, "is past"),
        ({"until": "2027-01-01T00:00Z", "window": WEEKEND}, InvalidInput, "not both"),
        ({"window": WEEKEND | {"rrule": "FREQ=SECONDLY"}}, InvalidInput, "FREQ=SECONDLY is not"),
        ({"window": "weekend"}, InvalidInput, "the freeze window is not valid"),
        ({"window": 7, "name": "x"}, InvalidInput, "the freeze window is not valid"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_recorded(
    remembered: ControlPlane, wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    head = remembered.head()
    with pytest.raises(error, match=told):
        remembered.freezes.declare(**{"reason": "INC-7", "actor": ON_CALL} | wrong)
    assert remembered.head() == head


def test_what_does_not_stand_is_not_found(plane: ControlPlane) -> None:
    for ask in (plane.freezes.get, lambda id_: plane.freezes.lift(id_, actor=ON_CALL, reason="x")):
        with pytest.raises(FreezeNotFound, match="no freeze freeze-1 that stands"):
            ask("freeze-1")


def test_it_is_read_again_from_the_database(kept: ControlPlane, clock: Clock) -> None:
    kept.freezes.declare(reason="x", actor=ENGINEER, window=WEEKEND, flags=[FLAG])
    with ControlPlane(kept.url, clock=clock) as another:
        assert another.freezes.all() == kept.freezes.all()
        assert another.projections.rebuild("freezes").position == 2
        assert another.freezes.declare(reason="y", actor=ENGINEER).id == "freeze-2"
    assert ids(kept) == ["freeze-1", "freeze-2"]


# From the terminal

WINDOW = "--name weekend --rrule FREQ=WEEKLY;BYDAY=FR --starts 2030-01-04T16:00 --duration 63h"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTROLPLANE_ACTOR", ENGINEER)
    ControlPlane(Terminal(tmp_path).database).close()
    return Terminal(tmp_path)


def test_the_terminal_stops_the_line_and_lets_it_go_on(terminal: Terminal) -> None:
    assert "controlplane freezes declare --reason WHY" in terminal.says("freezes", "list")
    stop = ("freezes", "declare", "--reason", "INC-7")
    said = terminal.says(*stop)
    assert said == "freeze-1 holds the promotions of all flags: until lifted\n"
    (listed,) = terminal.data("freezes", "list")
    assert (listed["in_effect"], listed["until"], listed["flags"]) == (True, None, [])
    shown = terminal.says("freezes", "list")
    for told in ("freeze-1", "until lifted", "all", ENGINEER, "INC-7"):
        assert told in shown
    lift = ("freezes", "lift", "freeze-1", "--reason", "over")
    assert terminal.says(*lift) == "freeze-1 is lifted\n"
    assert "controlplane freezes list" in terminal.refuses(*lift)
    log = terminal.says("events", "query", "--type", "freeze.*")
    assert "freeze-1 declared for all flags: INC-7" in log
    assert "freeze-1 lifted: over" in log


def test_the_terminal_declares_a_calendar(terminal: Terminal) -> None:
    terminal.says("flags", "create", FLAG, "--owner", "patch-team")
    words = ("freezes", "declare", "--reason", "nobody there", "--flag", FLAG, *WINDOW.split())
    zone = ("--timezone", "Europe/Berlin")
    assert f"freeze-1 holds the promotions of {FLAG}: " in terminal.says(*words, *zone)
    assert "next 2030-01-04T16:00:00Z" in terminal.says(*words)
    first, second = terminal.data("freezes", "list")
    assert (first["name"], first["in_effect"], first["until"]) == ("weekend", False, None)
    assert (first["next_start"], second["window"]["timezone"]) == (
        "2030-01-04T15:00:00.000000Z",
        "UTC",
    )
    assert first["window"] == {
        "rrule": "FREQ=WEEKLY;BYDAY=FR",
        "starts": "2030-01-04T16:00:00",
        "duration": "63h",
        "timezone": "Europe/Berlin",
    }
    assert terminal.data("freezes", "lift", "freeze-1", "--reason", "x")["in_effect"] is False
    assert "freeze-2 (weekend) declared for" in terminal.says("events", "query")


def long_ago() -> int:
    return 1_577_836_800_000_000  # 2020


def test_what_is_over_is_listed_only_when_asked_for(terminal: Terminal) -> None:
    with ControlPlane(terminal.database, clock=long_ago) as plane:
        plane.freezes.declare(reason="INC-1", actor=ON_CALL, until="2020-01-02T00:00Z")
    assert terminal.data("freezes", "list") == []
    assert "Nothing is frozen." in terminal.says("freezes", "list")
    assert [one["in_effect"] for one in terminal.data("freezes", "list", "--all")] == [False]
    assert "over" in terminal.says("freezes", "list", "--all")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("declare --reason=", "say why"),
        ("declare --reason x --flag nonsense", "Create it, or see"),
        ("declare --reason x --until yesterday", "yesterday is no moment"),
        ("declare --reason x --until 2020-01-01T00:00Z", "is past"),
        ("declare --reason x --rrule FREQ=DAILY", "needs --name, --starts and --duration"),
        ("declare --reason x --timezone Europe/Berlin", "needs --name, --starts and --duration"),
        (f"declare --reason x {WINDOW} --timezone Nowhere", "there is no time zone 'Nowhere'"),
        (f"declare --reason x {WINDOW} --until 2031-01-01T00:00Z", "not both"),
        ("lift freeze-7 --reason x", "controlplane freezes list"),
    ],
)
def test_the_terminal_refuses_in_one_line(terminal: Terminal, words: str, told: str) -> None:
    assert told in terminal.refuses("freezes", *words.split())
