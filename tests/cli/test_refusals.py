"""A refusal is one line on standard error that says what to do. Never a traceback."""

import getpass
import json
import re
import sqlite3
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cli.conftest import Terminal
from tests.journeys.traffic import ENGINEER, FLAG


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (
            "flags show nonsense",
            "create nonsense --owner TEAM, or controlplane flags list",
        ),
        ("flags history nonsense", "Create it, or see"),
        (f"flags create {FLAG} --owner somebody-else", "Choose another name"),
        ("flags create Bad/Name --owner x", "use up to 100 of a-z"),
        ("flags create nobodys --owner=", "needs an owner"),
        (f"flags set {FLAG} --percentage 50", "is in charge"),
        (f"flags enable {FLAG} --percentage 101", "from 0 to 100"),
        (f"flags enable {FLAG} --percentage nan", "from 0 to 100"),
        (f"flags enable {FLAG} --percentage 0.00001", "in steps of 0.001"),
        (f"flags enable {FLAG} --percentage 5 --where group", "write 'ATTRIBUTE OPERATOR VALUE'"),
        (f"flags archive {FLAG}", "abort it: controlplane rollouts abort"),
        (f"flags check {FLAG} user-17 -a nonsense", "write name=value"),
        ("rollouts start nonsense", "Create it, or see"),
        (f"rollouts start {FLAG}", "is in charge"),
        (f"rollouts start {FLAG} --plan missing.yaml", "cannot read plan missing.yaml"),
        (f"rollouts start {FLAG} --plan .", "cannot read plan ."),
        ("rollouts status nonsense", "controlplane rollouts list"),
        (f"rollouts approve {FLAG}-r1-p1", "controlplane rollouts proposals"),
        ("rollouts reject nonsense --reason no", "controlplane rollouts proposals"),
        ("rollouts abort nonsense --reason no", "controlplane rollouts list"),
        ("rollouts evaluate nonsense", "controlplane rollouts list"),
        ("rollouts plan nonsense", "controlplane rollouts list"),
        ("rollouts explain nonsense", "controlplane rollouts list"),
        ("rollouts verify nonsense", "controlplane rollouts list"),
        ("rollouts checklist nonsense", "controlplane rollouts list"),
        ("rollouts draft nonsense", "Create it, or see"),
        ("rollouts submit nonsense", "controlplane rollouts list"),
        (f"rollouts submit {FLAG}-r1", "cannot be submitted: it is entering"),
        (f"rollouts submit {FLAG}-r1 --start-at soon", "is no moment"),
        (f"rollouts approve-start {FLAG}-r1 --actor ben", "cannot be approved: it is entering"),
        (f"rollouts start {FLAG}-r1", "cannot be started: it is entering"),
        (f"rollouts revise {FLAG}-r1 --plan missing.yaml", "cannot read plan missing.yaml"),
        (f"rollouts retry {FLAG}-r1", "cannot be tried again: it is entering"),
        ("rollouts withdraw nonsense --reason no", "controlplane rollouts proposals"),
        (f"rollouts pause {FLAG}-r1 --reason=", "say why: to pause needs a reason"),
        (f"rollouts resume {FLAG}-r1", "Nobody holds"),
        (f"rollouts skip {FLAG}-r1 --reason=", "say why"),
        (f"rollouts extend {FLAG}-r1 6 --reason x", "is no duration; write 90s"),
        (f"rollouts extend {FLAG}-r1 0h --reason x", "more than nothing"),
        (f"rollouts override {FLAG}-r1 nosuch --reason x", "it has critical_alerts, error_rate"),
        (f"rollouts override {FLAG}-r1 bake_time --for 40d --reason x", "within 30 days"),
        (f"rollouts approve-override {FLAG}-r1-o1 --actor ben", "There is no override"),
        (f"rollouts withdraw-override {FLAG}-r1-o1 --reason x", "There is no override"),
        (f"rollouts sign-off {FLAG}-r1 nosuch", "there are: code, infrastructure"),
        (f"rollouts answer {FLAG}-r1 error_rate pass", "has no external criterion"),
        ("alerts ack nonsense", "controlplane alerts list"),
        (f"alerts resolve {FLAG}/X/1 --reason x", "controlplane alerts list"),
        ("alerts playbook nonsense", "there are INVARIANT_VIOLATION_DETECTED"),
        ("events query --since yesterday", "is no moment"),
        ("audit who-changed nonsense", "see which there are"),
        ("--database demo.db flags list", "sqlite:///demo.db"),
        ("events query --after -1", "positions at 0"),
        ("events query --limit 99999999999999999999", "2^63"),
        ("log verify --expect nonsense", "is not POSITION:HASH"),
        (f"log verify --expect 1:{'ab' * 32}", "altered at position 1"),
        ("log export nowhere/at/all.jsonl", "No such file or directory"),
        ("log export .", "Is a directory"),
        ("projections rebuild [/]", "there are flags, "),
        ("workload --flag nonsense", "Create it, or see"),
        ("demo --file nowhere/demo.db", "unable to open database file"),
        ("--environment bad/name flags list", "environment: String should match"),
    ],
)
def test_a_refusal_says_what_to_do(running: Terminal, words: str, advice: str) -> None:
    said = running.run(*words.split())
    last = said.stderr.splitlines()[-1]
    assert isinstance(said.exception, SystemExit), repr(said.exception)
    assert (said.exit_code, last.startswith("error: ")) == (1, True)
    assert advice in last
    if not words.startswith("workload"):
        assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "valid dictionary"),
        (b"a: [", "neither YAML nor JSON"),
        (b"\xff\xfe\x00", "cannot read plan"),
        (b"- 1", "valid dictionary"),
        (b"name: x\nwaves: []", "waves"),
        (b"name: x\nsurprise: 1\nwaves: [{}]", "surprise: there is no such field; there are "),
        (b"when: 2026-02-30", "neither YAML nor JSON"),
        (b"name: x\nname: y", "stands twice"),
        (b"a: &a {b: 1}\nc: {<<: *a}", "merges (<<) are not read"),
        (b"[" * 100_000, "nested too deeply"),
        (b"name: !!python/object/apply:os.system [id]", "neither YAML nor JSON"),
        (b"\x1b[31m", "neither YAML nor JSON"),
    ],
)
def test_a_bad_plan_file_is_refused(flagged: Terminal, content: bytes, told: str) -> None:
    (flagged.folder / "bad.yaml").write_bytes(content)
    assert told in flagged.refuses("rollouts", "start", FLAG, "--plan", "bad.yaml")


def unreachable(_: Path) -> str:
    return "postgresql://user:s3cret@localhost:1/x"


def missing(folder: Path) -> str:
    return f"sqlite:///{folder}/nowhere/at/all.db"


def corrupt(folder: Path) -> str:
    (folder / "corrupt.db").write_bytes(b"\x00not a database\xff" * 500)
    return f"sqlite:///{folder}/corrupt.db"


def newer(folder: Path) -> str:
    with sqlite3.connect(folder / "newer.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    return f"sqlite:///{folder}/newer.db"


def somebody_elses(folder: Path) -> str:
    with sqlite3.connect(folder / "other.db") as database:
        database.execute("CREATE TABLE event_log (x)")
    return f"sqlite:///{folder}/other.db"


@pytest.mark.parametrize(
    ("database", "told"),
    [
        (unreachable, "cannot be reached"),
        (missing, "there is no database|unable to open database file"),
        (lambda _: "sqlite:////dev/null/x.db", "there is no database|unable to open database file"),
        (corrupt, "file is not a database"),
        (newer, "Upgrade the control plane"),
        (somebody_elses, "cannot be reached"),
        (lambda _: "mysql://localhost/x", "neither sqlite nor postgresql"),
        (lambda _: "nonsense", "cannot be reached"),
    ],
)
@pytest.mark.parametrize("command", ["flags list", "serve", "log verify"])
def test_a_database_that_cannot_be_used_is_refused(
    terminal: Terminal, database: object, told: str, command: str
) -> None:
    words = ("--database", database(terminal.folder), *command.split())
    line = terminal.refuses(*words)
    assert re.search(told, line)
    assert "s3cret" not in line


def test_a_setting_that_is_not_valid_is_named(terminal: Terminal) -> None:
    line = terminal.refuses("serve", CONTROLPLANE_METRICS_PORT="many")
    assert "metrics_port: Input should be a valid integer" in line


def test_a_demo_removes_no_file_but_a_demos(terminal: Terminal) -> None:
    precious = terminal.folder / "precious.txt"
    precious.write_text("mine")
    assert "choose another with --file" in terminal.refuses("demo", "--file", "precious.txt")
    assert precious.read_text() == "mine"
    terminal.says("flags", "create", FLAG, "--owner", "patch-team")
    assert "choose another with --file" in terminal.refuses("demo", "--file", "terminal.db")
    assert FLAG in terminal.says("flags", "list")


def test_somebody_without_a_name_must_say_who_acts(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> NoReturn:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.delenv("CONTROLPLANE_ACTOR")
    words = ("flags", "create", FLAG, "--owner", "patch-team")
    assert "--actor NAME" in terminal.refuses(*words)
    assert terminal.run(*words, "--actor", "me").exit_code == 0


def test_nobody_approves_by_leaving_out_who_they_are(
    empty: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONTROLPLANE_ACTOR")
    refused = empty.refuses("rollouts", "approve", f"{FLAG}-r1-p1")
    assert "say who approves: --actor NAME" in refused


def test_a_plan_is_refused_for_its_own_faults_only(flagged: Terminal) -> None:
    wave = "{name: a, percentage: 300, hold: 1h, criteria: [{kind: zero_events}]}"
    (flagged.folder / "bad.yaml").write_text(f"name: x\nwaves: [{wave}]")
    refused = flagged.refuses("rollouts", "start", FLAG, "--plan", "bad.yaml")
    assert refused.count("waves") == 1
    assert "waves.0.percentage" in refused


def test_an_option_that_does_not_exist_is_refused_without_a_traceback(terminal: Terminal) -> None:
    for words in (["--nonsense"], ["flags", "nonsense"], ["serve", "--port", "70000"]):
        said = terminal.run(*words)
        assert (said.exit_code, said.stdout) == (2, "")
        assert "Traceback" not in said.stderr


NASTY = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202ebackwards\r\nsecond line [bold]not bold[/bold] [/]"


@pytest.mark.parametrize(
    "command",
    [
        f"flags history {FLAG}",
        f"flags history {FLAG} --json",
        "events query",
        "events query --json",
        f"flags show {FLAG}",
        "flags list",
        "flags list --json",
        "events follow --after 0 --idle 0",
        "log export",
    ],
)
def test_what_others_wrote_does_not_steer_the_terminal(flagged: Terminal, command: str) -> None:
    words = ["--description", NASTY, "--owner", NASTY, "--tag", NASTY]
    flagged.says("flags", "describe", FLAG, *words)
    flagged.says("flags", "enable", FLAG, "--percentage", "1", "--reason", NASTY)
    shown = flagged.says(*command.split())
    assert not [c for c in shown if c != "\n" and not c.isprintable()]
    if command.endswith("--json"):
        assert json.dumps(NASTY)[1:-1] in json.dumps(json.loads(shown))


def test_the_option_goes_before_the_environment(flagged: Terminal) -> None:
    elsewhere = f"sqlite:///{flagged.folder / 'elsewhere.db'}"
    said = flagged.run("flags", "list", CONTROLPLANE_DATABASE_URL=elsewhere)
    assert FLAG in said.stdout
    assert not (flagged.folder / "elsewhere.db").exists()


def test_who_acts_is_the_option_then_the_setting(flagged: Terminal) -> None:
    flagged.says("flags", "disable", FLAG)
    flagged.says("flags", "enable", FLAG, "--percentage", "1", "--actor", "ann")
    actors = [one["actor"]["id"] for one in flagged.data("events", "query", "--oldest-first")]
    assert actors == [ENGINEER, "ann", "ann"]
