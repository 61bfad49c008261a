"""Any moment at the terminal."""

import json
import sqlite3
from contextlib import closing

from controlplane import ControlPlane
from tests.cli.conftest import Terminal
from tests.cli.plans import plan
from tests.journeys.traffic import FLAG, batch

R = f"{FLAG}-r1"


def exposed(terminal: Terminal) -> Terminal:
    """Created, enabled at 10 %, moved to 50 %, off: positions 1, 2 and 3, 4, 5."""
    terminal.says("flags", "enable", FLAG, "--percentage", "10")
    terminal.says("flags", "set", FLAG, "--percentage", "50")
    terminal.says("flags", "disable", FLAG)
    return terminal


def test_what_a_user_would_have_got_is_told_for_a_position(flagged: Terminal) -> None:
    exposed(flagged)
    explain = ("flags", "explain", FLAG, "user-3", "--at")
    assert f"{FLAG} was off for user-3: bucket 15485 >= 10000" in flagged.says(*explain, "3")
    told = flagged.says(*explain, "4")
    assert "log position 4" in told
    assert f"{FLAG} was on for user-3: bucket 15485 < 50000 (50 % of everyone)" in told
    assert "is disabled" in flagged.says(*explain, "5")
    assert flagged.data(*explain, "4")["threshold"] == 50_000


def test_what_a_user_would_have_got_is_told_for_a_moment(flagged: Terminal) -> None:
    exposed(flagged)
    moved = flagged.data("events", "query", "--type", "flag.exposure_changed")[0]
    told = flagged.data("flags", "explain", FLAG, "user-3", "--at", moved["recorded_at"])
    assert told["enabled"] is True
    assert "is still to come" in flagged.refuses("flags", "show", FLAG, "--at", "2100-01-01T00:00Z")


def test_lists_are_of_the_moment_that_is_asked_for(flagged: Terminal) -> None:
    exposed(flagged)
    assert f"{FLAG} is on: 50 % of everyone" in flagged.says("flags", "show", FLAG, "--at", "4")
    assert [flag["percentage"] for flag in flagged.data("flags", "list", "--at", "3")] == [10]
    assert flagged.data("flags", "list", "--at", "0") == []
    assert "as of the beginning, log position 0" in flagged.says("flags", "list", "--at", "0")
    flagged.says("rollouts", "start", FLAG, "--plan", flagged.writes(plan()))
    assert "No rollouts yet" in flagged.says("rollouts", "list", "--at", "5")
    assert [one["id"] for one in flagged.data("rollouts", "list")] == [R]


def test_alerts_are_those_that_were_open(flagged: Terminal) -> None:
    flagged.says("flags", "enable", FLAG, "--percentage", "10")
    flagged.serves(1, violations={"order": 1})
    flagged.says("alerts", "watch")
    (alert,) = (one for one in flagged.data("alerts", "list") if one["severity"] == "critical")
    at = str(flagged.data("log", "head")["position"])
    flagged.says("alerts", "resolve", alert["id"], "--reason", "fixed")
    assert alert in flagged.data("alerts", "list", "--at", at)
    assert alert not in flagged.data("alerts", "list")
    assert "No alert was open." in flagged.says("alerts", "list", "--at", "3")


def test_what_changed_between_two_positions_is_a_table(flagged: Terminal) -> None:
    exposed(flagged)
    told = flagged.says("diff", "1", "4")
    assert "log position 1" in told
    assert "percentage of everyone" in told
    assert "Nothing differs." in flagged.says("diff", "4", "4")
    found = flagged.data("diff", "1", "4")
    assert (found["before"]["position"], found["after"]["position"]) == (1, 4)
    assert {"enabled", "percentage of everyone"} == {one["fact"] for one in found["changes"]}


def test_what_came_late_is_told_where_it_is_asked_for(flagged: Terminal) -> None:
    flagged.says("rollouts", "start", FLAG, "--plan", flagged.writes(plan()))
    at = flagged.data("events", "query", "--limit", "1")[0]["recorded_at"]
    with ControlPlane(flagged.database) as plane:
        plane.executions.record([batch(occurred_at=at)])
    explain = ("rollouts", "explain", R, "--at", at)
    assert flagged.data(*explain)["evidence"]["executions"] == 0
    assert flagged.data(*explain, "--known", "now")["evidence"]["executions"] == 1


def test_a_flag_is_led_back(flagged: Terminal) -> None:
    exposed(flagged)
    revert = ("flags", "revert", FLAG, "--at", "4")
    assert "needs a reason" in flagged.refuses(*revert, "--reason", "")
    assert "stands as it stood at 4" in flagged.says(*revert, "--reason", "off by mistake")
    assert flagged.data("flags", "show", FLAG)["percentage"] == 50
    history = flagged.says("flags", "history", FLAG)
    assert "off by mistake" in history


def test_snapshots_are_taken_ahead_of_questions(flagged: Terminal) -> None:
    assert "snapshots up to position 0" in flagged.says("projections", "snapshot")
    flagged.serves(2100)
    assert flagged.data("projections", "snapshot") == {"position": 2000}
    assert flagged.data("flags", "list", "--at", "2050")[0]["name"] == FLAG


def test_a_read_model_that_was_changed_by_hand_is_named(flagged: Terminal) -> None:
    exposed(flagged)
    flagged.says("projections", "snapshot")
    assert "held to the log: identical" in flagged.says("projections", "verify")
    with closing(sqlite3.connect(flagged.folder / "terminal.db")) as database:
        database.execute(
            "UPDATE projection_rows SET state = replace(state, 'patch-team', 'mallory') "
            "WHERE projection = 'flags'"
        )
        database.commit()
    assert "intact" in flagged.says("log", "verify")
    told = flagged.run("projections", "verify")
    assert told.exit_code == 1
    assert f"flags, row '{FLAG}', as of position 5: not what the log comes to" in told.stdout
    assert "controlplane projections rebuild flags" in told.stdout
    data = json.loads(flagged.run("projections", "verify", "--json").stdout)
    assert data["identical"] is False
    assert data["differences"] == [
        {"projection": "flags", "kept": "row", "key": FLAG, "position": 5, "found": "altered"}
    ]
    flagged.says("projections", "rebuild", "flags")
    assert flagged.data("projections", "verify")["identical"] is True
