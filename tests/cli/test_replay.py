"""`controlplane replay`: a line a frame, where nobody watches."""

import json
import os
import pty
import select
import signal
import termios
import time
from collections.abc import Iterator
from subprocess import Popen

import pytest
from msgspec.structs import replace

from controlplane import ControlPlane
from controlplane.cli.retaken import fields
from controlplane.clock import new_id
from controlplane.history.differences import Difference
from events import NewEvent
from events.alerts import AlertRaised
from tests.cli.conftest import Terminal
from tests.journeys.traffic import FLAG


@pytest.fixture
def hurt(flagged: Terminal) -> Terminal:
    flagged.says("flags", "enable", FLAG, "--percentage", "10")
    flagged.serves(1, violations={"order": 1})
    flagged.says("alerts", "watch")
    return flagged


def test_piped_it_prints_a_frame_a_line(hurt: Terminal) -> None:
    lines = [json.loads(line) for line in hurt.says("replay", "INC-1").splitlines()]
    types = [line["event"]["type"] for line in lines]
    assert types[0] == "flag.created"
    assert types[-1] == "flag.disabled"
    assert lines[-1]["changes"][0]["fact"] == "enabled"
    assert lines[-1]["picture"]["enabled"] is False
    assert "switched off" in lines[-1]["sentence"]
    same = hurt.says("replay", "INC-1", "--json", "--at", str(lines[-1]["event"]["position"]))
    assert json.loads(same) == lines[-1]


def test_a_time_is_replayed_by_positions_or_moments(hurt: Terminal) -> None:
    lines = hurt.says("replay", "--since", "1", "--until", "3").splitlines()
    assert [json.loads(line)["event"]["position"] for line in lines] == [2, 3]
    assert hurt.says("replay", "--flag", FLAG, "--until", "0") == ""


def test_what_cannot_be_replayed_is_refused(hurt: Terminal) -> None:
    assert "There is no incident INC-2" in hurt.refuses("replay", "INC-2")
    assert "There is no rollout" in hurt.refuses("replay", f"{FLAG}-r7")
    assert "1, 10, 100 times" in hurt.refuses("replay", "INC-1", "--speed", "7")


def test_exported_it_is_replayed_elsewhere_without_the_database(
    hurt: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = hurt.says("incidents", "export", "INC-1", "-o", "inc1.jsonl")
    assert said == "7 events of INC-1 in inc1.jsonl: controlplane replay inc1.jsonl\n"
    piped = hurt.says("incidents", "export", "INC-1").splitlines()
    assert piped[1:] == (hurt.folder / "inc1.jsonl").read_text().splitlines()[1:]
    live = hurt.says("replay", "INC-1")
    monkeypatch.setattr("controlplane.cli.output.ControlPlane", None)  # Nothing opens a database.
    assert hurt.says("replay", "inc1.jsonl") == live
    checked = hurt.says("replay", "inc1.jsonl", "--check")
    assert "3 decisions (0 on waves, 1 on alerts, 1 on rollbacks, 1 on incidents)" in checked
    assert "identical" in checked
    assert hurt.data("replay", "inc1.jsonl", "--check")["identical"] is True


def test_a_file_that_was_tampered_with_is_refused(hurt: Terminal) -> None:
    hurt.says("incidents", "export", "INC-1", "-o", "inc1.jsonl")
    file = hurt.folder / "inc1.jsonl"
    file.write_text(file.read_text().replace("user-17", "user-18"))
    assert "its content does not match its hash" in hurt.refuses("replay", "inc1.jsonl")
    file.write_text("nonsense")
    assert "its first line is no manifest" in hurt.refuses("replay", "inc1.jsonl", "--check")


def test_a_decision_that_no_rule_made_is_told(hurt: Terminal) -> None:
    with ControlPlane(hurt.database) as plane:
        (raised,) = plane.events(type="alert.raised")
        assert isinstance(raised.event, AlertRaised)
        made_up = replace(raised.event, value=99.0, alert=raised.event.alert[:-1] + "2")
        new = NewEvent(
            stream=raised.stream,
            event=made_up,
            id=new_id(),
            occurred_at=raised.occurred_at + 1,
            actor=raised.actor,
        )
        plane.log.append([new])
    result = hurt.run("replay", "--flag", FLAG, "--check")
    assert result.exit_code == 1
    assert "differ" in result.stdout
    assert "recorded: alert.raised, recomputed: nothing" in result.stdout
    assert max(map(len, result.stdout.splitlines())) < 200
    assert "say of which flag" in hurt.refuses("replay", "--check")


def test_of_a_decision_that_comes_out_otherwise_the_fields_that_differ_are_told() -> None:
    long = "w" * 500
    told = f'alert.raised {{"a":{{"n":[1,2]}},"same":"x","value":4.5,"window":"{long}"}}'
    comes = 'alert.raised {"a":{"n":[1,3,{"k":null}]},"same":"x","value":4.0}'
    assert [*fields(Difference(7, "alerts", told, comes))] == [
        "a.n.1: recorded 2, recomputed 3",
        "a.n.2.k: recorded nothing, recomputed –",
        "value: recorded 4.5, recomputed 4",
        f"window: recorded {'w' * 99}…, recomputed nothing",
    ]
    assert [*fields(Difference(7, "alerts", told, "nothing"))] == []


def test_it_begins_at_a_position_or_a_moment(hurt: Terminal) -> None:
    lines = [json.loads(line) for line in hurt.says("replay", "INC-1").splitlines()]
    moment = lines[-1]["event"]["recorded_at"]
    (last,) = hurt.says("replay", "INC-1", "--at", moment).splitlines()
    assert json.loads(last) == lines[-1]
    for outside in ("0", "99", "2020-01-01T00:00Z"):
        told = hurt.refuses("replay", "INC-1", "--at", outside)
        assert f"{outside} lies outside INC-1, which goes from log position 1 to 7" in told
    for no_moment in ("-1", "x", "2026-11-24", "2026-11-24T10:00:00"):
        assert "is no moment" in hurt.refuses("replay", "INC-1", f"--at={no_moment}")


def test_what_makes_no_sense_together_is_refused(hurt: Terminal) -> None:
    told = hurt.refuses("replay", "--since", "5", "--until", "3")
    assert "it would begin at log position 5, after its end, 3" in told
    assert "there is no file x/y.jsonl" in hurt.refuses("replay", "x/y.jsonl")
    hurt.says("incidents", "export", "INC-1", "-o", "inc1.jsonl")
    assert "is replayed whole" in hurt.refuses("replay", "inc1.jsonl", "--until", "3")


@pytest.fixture
def watched(hurt: Terminal) -> Iterator[tuple[int, Popen[str]]]:
    """The player at a terminal of its own: the other end of it, and the process."""
    mine, theirs = pty.openpty()
    process = hurt.process(
        *("replay", "INC-1"),
        env={"TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
    )
    try:
        assert "1 of 7" in read(mine, "e executions")
        yield mine, process
    finally:
        process.kill()
        process.communicate()
        os.close(theirs)
        os.close(mine)


def test_at_a_terminal_it_is_gone_through_by_keys(watched: tuple[int, Popen[str]]) -> None:
    mine, process = watched
    os.write(mine, b"\x1b[F")
    assert "7 of 7" in read(mine, "7 of 7")
    os.write(mine, b"q")
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("end", "status"),
    [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130), (None, 0)],
)
def test_however_it_ends_the_terminal_is_as_it_was(
    watched: tuple[int, Popen[str]], end: signal.Signals | None, status: int
) -> None:
    mine, process = watched
    if end is None:
        os.write(mine, b"q")
    else:
        process.send_signal(end)
    shown = read(mine, "\x1b[?1049l")
    assert "\x1b[?25h" in shown, "the cursor is back"
    assert process.wait(30) == status
    modes = termios.tcgetattr(mine)
    assert modes[3] & termios.ECHO
    assert modes[3] & termios.ICANON
    assert modes[6][termios.VSUSP] == b"\x1a"


def test_a_terminal_that_can_show_no_screen_is_told_so(hurt: Terminal) -> None:
    mine, theirs = pty.openpty()
    dumb = hurt.process("replay", "INC-1", env={"TERM": "dumb"}, stdin=theirs, stdout=theirs)
    _, told = dumb.communicate(timeout=30)
    os.close(theirs)
    os.close(mine)
    assert dumb.returncode == 1
    assert "use --json" in told


def read(terminal: int, until: str) -> str:
    """What is shown, up to a word."""
    shown, ends = "", time.monotonic() + 60
    while until not in shown and time.monotonic() < ends:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
    return shown
