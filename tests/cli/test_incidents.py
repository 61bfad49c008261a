"""Incidents at the terminal."""

import pytest

from tests.cli.conftest import Terminal
from tests.journeys.traffic import FLAG


@pytest.fixture
def hurt(flagged: Terminal) -> Terminal:
    """A flag that went off for a violated invariant; one alert, one incident."""
    flagged.says("flags", "enable", FLAG, "--percentage", "10")
    flagged.serves(1, violations={"order": 1})
    flagged.says("alerts", "watch")
    return flagged


def test_what_a_critical_alert_opened_is_listed_and_shown(hurt: Terminal) -> None:
    told = hurt.says("incidents", "list")
    assert "INC-1" in told
    assert FLAG in told
    told = hurt.says("incidents", "show", "INC-1")
    assert f"INC-1 (critical) on {FLAG} is open" in told
    assert f"alert {FLAG}/INVARIANT_VIOLATION_DETECTED/1, open" in told
    assert "mitigate" in told
    assert "in time" in told
    assert f"{FLAG} switched off" in told or "off" in told


def test_it_is_written_to_and_closed_by_people(hurt: Terminal) -> None:
    (alert,) = (one["id"] for one in hurt.data("alerts", "list") if one["severity"] == "critical")
    assert "is not over" in hurt.refuses("incidents", "close", "INC-1", "--reason", "mended")
    hurt.says("incidents", "note", "INC-1", "only inserts fail", "--actor", "ben")
    hurt.says("alerts", "resolve", alert, "--reason", "fixed")
    assert "is recovered" in hurt.says("incidents", "show", "INC-1")
    closed = hurt.says("incidents", "close", "INC-1", "--reason", "off by one; mended")
    assert closed == f"INC-1 (critical) on {FLAG} is closed: off by one; mended\n"
    assert "closed already: off by one" in hurt.refuses(
        "incidents", "close", "INC-1", "--reason", "x"
    )
    assert "No incident is open." in hurt.says("incidents", "list")
    assert "ben: only inserts fail" in hurt.says("incidents", "show", "INC-1")
    (one,) = hurt.data("incidents", "list", "--all")
    assert (one["state"], one["resolution"]) == ("closed", "off by one; mended")


def test_it_is_opened_by_hand(flagged: Terminal) -> None:
    opened = flagged.data(
        "incidents", "open", FLAG, "--reason", "customers call", "--severity", "warning"
    )
    assert (opened["id"], opened["severity"], opened["state"]) == ("INC-1", "warning", "open")
    assert "is open on flag" in flagged.refuses("incidents", "open", FLAG, "--reason", "again")
    assert "There is no flag" in flagged.refuses("incidents", "open", "x", "--reason", "why")
    assert "There is no incident INC-2" in flagged.refuses("incidents", "show", "INC-2")
    report = flagged.data("incidents", "show", "INC-1")
    assert [one["type"] for one in report["timeline"]] == ["flag.created", "incident.opened"]
    assert {one["name"] for one in report["measures"]} == {
        *("detect", "acknowledge", "mitigate", "recover")
    }


def test_as_of_a_moment_it_is_as_it_was(hurt: Terminal) -> None:
    position = str(hurt.data("log", "head")["position"])
    (alert,) = (one["id"] for one in hurt.data("alerts", "list") if one["severity"] == "critical")
    hurt.says("alerts", "resolve", alert, "--reason", "fixed")
    hurt.says("incidents", "close", "INC-1", "--reason", "mended")
    assert [one["state"] for one in hurt.data("incidents", "list", "--at", position)] == ["open"]
    assert "No incident was open." in hurt.says("incidents", "list", "--at", "1")
