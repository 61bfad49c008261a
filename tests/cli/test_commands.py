"""Every command: a sentence for people, and with --json all of it for machines."""

from typing import Any

import pytest

from controlplane import FOUR_WAVES
from controlplane.rules.catalog import WATCHED
from projections.catalog import PROJECTIONS
from tests.cli.commands import commands
from tests.cli.conftest import Terminal
from tests.house.sources import ROOT
from tests.journeys.traffic import ENGINEER, FLAG

SPEAK_FOR_THEMSELVES = {
    ("demo",),
    ("audit", "report"),
    ("serve",),
    ("workload",),
    ("events", "follow"),
    ("incidents", "export"),
    ("log", "checkpoint"),
    ("log", "export"),
    ("rollouts", "schema"),
}
"""They run for long, or print a JSON document a line already."""


def test_every_command_that_prints_data_prints_json() -> None:
    without = {words for words, options in commands().items() if "--json" not in options}
    assert without == SPEAK_FOR_THEMSELVES


@pytest.mark.parametrize("words", [(), *{words[:-1] for words in commands()}, *commands()])
def test_every_command_explains_itself(terminal: Terminal, words: tuple[str, ...]) -> None:
    told = terminal.says(*words, "--help")
    assert "Usage:" in told
    assert "--help" in told


def keys(data: Any) -> set[str]:
    return set(data[0] if isinstance(data, list) else data)


R = f"{FLAG}-r1"
FLAG_KEYS = {"name", "owner", "enabled", "archived", "exposures", "rollout", "percentage", "salt"}
ROLLOUT_KEYS = {"id", "flag", "state", "wave", "wave_name", "verdict", "reason", "proposals"}
STATUS_KEYS = ROLLOUT_KEYS | {"sentence", "assessment", "evidence", "unsigned", "hold_us"}
EVENT_KEYS = {"position", "id", "stream", "version", "type", "occurred_at", "actor", "data", "hash"}


@pytest.mark.parametrize(
    ("words", "told", "wanted"),
    [
        ("flags list", FLAG, FLAG_KEYS),
        (f"flags show {FLAG}", "patch-team", FLAG_KEYS),
        (f"flags create {FLAG} --owner patch-team", "is on: 10 % of internal", FLAG_KEYS),
        (f"flags describe {FLAG} --tag a --tag b", FLAG, FLAG_KEYS),
        (f"flags history {FLAG}", "wave 1", EVENT_KEYS),
        (f"flags check {FLAG} user-17", "o", {"enabled"}),
        (f"flags explain {FLAG} user-17 -a group=internal", "bucket", {"enabled", "sentence"}),
        (f"flags disable {FLAG} --reason enough", "is off", FLAG_KEYS),
        ("rollouts list", "entering", ROLLOUT_KEYS),
        (f"rollouts status {R}", "error_rate", STATUS_KEYS),
        (f"rollouts explain {R}", "rollout.wave_entered", STATUS_KEYS | {"position", "history"}),
        (f"rollouts explain {R} --at 4", "rollout.drafted", STATUS_KEYS),
        (f"rollouts verify {R}", "0 judgements and 0 proposals", {"identical", "differences"}),
        (f"rollouts checklist {R}", "daily reviews", {"item", "before", "role", "signed", "done"}),
        (f"rollouts evaluate {R}", "is entering", ROLLOUT_KEYS),
        (f"rollouts draft {FLAG}", "-r2 is a draft", ROLLOUT_KEYS),
        (f"rollouts pause {R} --reason lunch", "paused by release-engineer: lunch", ROLLOUT_KEYS),
        (f"rollouts extend {R} 6h --reason late", "watched for 6h longer", ROLLOUT_KEYS),
        (f"rollouts override {R} bake_time --reason late", "-o1: bake_time", ROLLOUT_KEYS),
        (f"rollouts sign-off {R} team", "team has 1 of 1 sign-offs", ROLLOUT_KEYS),
        (f"rollouts abort {R} --reason enough", "is rolling back: enough", ROLLOUT_KEYS),
        (f"rollouts plan {R}", "name: four-waves", {"name", "waves", "soak"}),
        ("rollouts plan", "hold: 24h", {"name", "waves", "soak"}),
        ("alerts rules", "ERROR_RATE_CRITICAL", {"name", "severity", "condition", "playbook"}),
        ("alerts playbook wave_stalled", "1. ", {"name", "playbook", "acknowledge_within"}),
        ("events query", "release-engineer", EVENT_KEYS),
        ("log head", "7 ", {"position", "hash", "recorded_at"}),
        ("log verify", "intact: 7 events", {"intact", "position", "hash"}),
        ("projections status", "evidence", {"projection", "version", "position", "events"}),
        ("projections rebuild", "flags rebuilt up to position 7", {"projection", "position"}),
        ("projections verify", "identical", {"identical", "models", "differences"}),
        ("projections prune", "0 builds dropped", set()),
        ("db upgrade", "is at schema", {"url", "schema"}),
    ],
)
def test_a_command_tells_people_and_machines(
    running: Terminal, words: str, told: str, wanted: set[str]
) -> None:
    assert told in running.says(*words.split())
    data = running.data(*words.split())
    assert not data if not wanted else wanted <= keys(data)


@pytest.mark.parametrize(
    ("attribute", "answer"),
    [
        ("app=2.10", "on"),
        ('app="2.9"', "on"),
        ("app=2.9.0", "on"),
        ("app=2.8", "off"),
        ("app=2.9", "off"),  # A number: a version needs quotes where it looks like one.
    ],
)
def test_a_version_that_looks_like_a_number_stays_what_was_written(
    flagged: Terminal, attribute: str, answer: str
) -> None:
    flagged.says(
        *("flags", "enable", FLAG, "--percentage", "100"),
        *("--audience", "new", "--where", "app version_gte 2.9"),
    )
    assert flagged.says("flags", "check", FLAG, "user-17", "-a", attribute) == f"{answer}\n"


def test_a_flag_may_be_given_a_salt(terminal: Terminal) -> None:
    words = ["flags", "create", "another", "--owner", "patch-team", "--salt", "shared"]
    assert terminal.data(*words)["salt"] == "shared"
    assert "salt shared" in terminal.says("flags", "show", "another")


def test_an_event_is_shown_with_its_type(flagged: Terminal) -> None:
    assert "flag.created" in flagged.says("events", "query")
    assert "flag.created" in flagged.says("flags", "history", FLAG)


def test_the_built_in_plan_is_printed_as_it_was_written(terminal: Terminal) -> None:
    printed = terminal.says("rollouts", "plan")
    assert printed == (ROOT / "controlplane" / "four-waves.yaml").read_text(encoding="utf-8")
    assert "# What each wave must show." in printed


@pytest.mark.parametrize("group", sorted({words[0] for words in commands() if len(words) > 1}))
def test_a_group_of_commands_alone_prints_what_there_is(terminal: Terminal, group: str) -> None:
    said = terminal.run(group)
    assert "Usage:" in said.output
    assert all(words[1] in said.output for words in commands() if words[0] == group)
    assert "Traceback" not in said.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("flags list", "Create one: controlplane flags create"),
        ("rollouts list", "Start one: controlplane rollouts start"),
        ("rollouts proposals", "No proposal waits."),
        ("alerts list", "No alert is open."),
        ("alerts watch", "No alert is open."),
        ("events query", "No event matches."),
    ],
)
def test_where_there_is_nothing_it_says_so(empty: Terminal, words: str, told: str) -> None:
    assert told in empty.says(*words.split())
    assert empty.data(*words.split()) == []


def test_json_is_complete(running: Terminal) -> None:
    assert len(running.data("alerts", "rules")) == len(WATCHED)
    assert {one["projection"] for one in running.data("projections", "status")} == set(PROJECTIONS)
    assert running.data("rollouts", "plan") == FOUR_WAVES.to_json()
    (event,) = running.data("events", "query", "--type", "flag.created")
    assert event["data"]["salt"] == FLAG
    assert event["actor"] == {"kind": "person", "id": ENGINEER, "name": ENGINEER}
    assert event["occurred_at"].endswith("Z")
    status = running.data("rollouts", "status", f"{FLAG}-r1")
    names = [one["criterion"] for one in status["assessment"]["judgements"]]
    assert names == ["critical_alerts", "error_rate", "p95_latency", "bake_time"]


def test_a_plan_that_was_printed_can_be_started(flagged: Terminal) -> None:
    (flagged.folder / "mine.yaml").write_text(flagged.says("rollouts", "plan"))
    started = flagged.data("rollouts", "start", FLAG, "--plan", "mine.yaml")
    assert started["plan_hash"] == FOUR_WAVES.digest()


def test_an_audience_is_written_as_conditions(flagged: Terminal) -> None:
    words = ["flags", "enable", FLAG, "--percentage", "100", "--audience", "some"]
    flag = flagged.data(*words, "--where", "group in internal, beta", "--where", "age gte 18")
    assert flag["exposures"][0]["audience"]["conditions"] == [
        {"attribute": "group", "operator": "in", "value": ["internal", "beta"]},
        {"attribute": "age", "operator": "gte", "value": 18},
    ]
    check = ["flags", "check", FLAG, "user-17", "-a", "group=beta", "-a"]
    assert flagged.says(*check, "age=30") == "on\n"
    assert flagged.says(*check, "age=17") == "off\n"
    assert flagged.says(*check, 'age="30"') == "off\n"
    words = ["flags", "set", FLAG, "--percentage", "50"]
    assert "100 % of some, 50 % of everyone" in flagged.says(*words)
    assert flagged.data(*words)["percentage"] == 100
    flagged.says("flags", "archive", FLAG)
    assert flagged.says(*check, "age=30") == "off\n"
