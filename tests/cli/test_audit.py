"""`controlplane audit`: history at the terminal, as tables, JSON, lines and for spreadsheets."""

import csv
import io
import json
from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from tests.cli.conftest import Terminal
from tests.conftest import Clock
from tests.journeys.traffic import FLAG
from tests.plane.audited import ROLLOUT, Audited, audited, drafted, promoted, rolled_back


@pytest.fixture
def story(terminal: Terminal, clock: Clock) -> Iterator[Audited]:
    """A rollout from its draft to its rollback, in the terminal's database."""
    with ControlPlane(terminal.database, clock=clock) as plane:
        told = audited(plane, clock)
        for part in (drafted, promoted, rolled_back):
            part(told)
        yield told


@pytest.mark.usefixtures("story")
def test_every_question_has_a_table_json_lines_and_a_spreadsheet(terminal: Terminal) -> None:
    for words in (
        f"who-changed {FLAG}",
        "approvals",
        f"approvals {ROLLOUT}",
        "denied",
        f"timeline {ROLLOUT}",
        "events --slice flags",
        "events --group-by actor --group-by day",
    ):
        asked = ["audit", *words.split()]
        assert len(terminal.says(*asked).splitlines()) > 1, words
        data = terminal.data(*asked)
        assert terminal.says(*asked, "--format", "json") == terminal.says(*asked, "--json")
        lines = terminal.says(*asked, "--format", "ndjson").splitlines()
        assert [json.loads(line) for line in lines] == data
        header, *rows = csv.reader(io.StringIO(terminal.says(*asked, "--format", "csv")))
        assert len(rows) == len(data) > 0
        assert all(len(row) == len(header) for row in rows)


def test_a_change_is_shown_with_its_token_and_who_agreed(
    terminal: Terminal, story: Audited
) -> None:
    shown = terminal.says("audit", "who-changed", FLAG)
    (line,) = [line for line in shown.splitlines() if "50 % → 100 %" in line]
    assert line.split()[2:7] == ["ben", "(token)", story.token, "ana", "ben"]
    (newest, *_) = terminal.data("audit", "who-changed", FLAG)
    assert newest["type"] == "flag.disabled"
    (oldest, *_) = terminal.data("audit", "who-changed", FLAG, "--oldest-first")
    assert (oldest["type"], oldest["command"], oldest["asked_by"]) == ("flag.created", None, [])


def test_why_is_a_tree(terminal: Terminal, story: Audited) -> None:
    (changed,) = story.plane.events(type="flag.exposure_changed", actor="ben")
    root, branch, *_, leaf = terminal.says("audit", "why", str(changed.position)).splitlines()
    assert "rollout.wave_judged" in root
    assert branch.startswith("└── ")
    assert "rollout.promotion_proposed" in branch
    assert leaf.startswith(f"{' ' * 20}└── {changed.position}  ")
    data = terminal.data("audit", "why", str(changed.position))
    assert [one["type"] for one in data["causes"]] == [
        *("rollout.wave_judged", "rollout.promotion_proposed", "access.command_accepted"),
        *("rollout.proposal_approved", "rollout.wave_promoted", "rollout.wave_entered"),
    ]
    assert (data["event"]["position"], data["effects"]) == (changed.position, [])
    assert "no event at position 99999" in terminal.refuses("audit", "why", "99999")


@pytest.mark.usefixtures("story")
def test_events_can_be_had_as_cloudevents(terminal: Terminal) -> None:
    asked = ["audit", "events", "--slice", "freezes", "--format", "cloudevents"]
    (line,) = terminal.says(*asked).splitlines()
    event = json.loads(line)
    assert (event["specversion"], event["type"]) == ("1.0", "freeze.declared")


@pytest.mark.usefixtures("story")
def test_conditions_are_combined(terminal: Terminal) -> None:
    def types(*words: str) -> list[str]:
        return [one["type"] for one in terminal.data("audit", "events", *words)]

    assert types("--text", "ODD") == ["rollout.held"]
    assert types("--type", "freeze.*", "--type", "flag.created") == [
        "freeze.declared",
        "flag.created",
    ]
    assert set(types("--kind", "token", "--slice", "rollouts", "--limit", "100")) == {
        *("rollout.start_approved", "rollout.armed", "rollout.wave_judged"),
        *("rollout.proposal_approved", "rollout.wave_promoted", "rollout.wave_entered"),
    }
    assert types("--correlation", ROLLOUT, "--actor", "cleo", "--oldest-first") == [
        *("rollout.item_signed_off", "rollout.held", "rollout.hold_released"),
    ]
    assert types("--since", "2030-01-01T00:00Z", "--clock", "recorded") == []


@pytest.mark.usefixtures("story")
def test_counts_are_shown_with_what_they_count(terminal: Terminal) -> None:
    first, *_ = terminal.data("audit", "events", "--group-by", "kind", "--group-by", "type")
    assert first["kind"] == "system"
    assert first["type"] == "execution.batch_executed"
    assert first["count"] > 100


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("audit who-changed nonsense", "There is no flag nonsense"),
        ("audit timeline nonsense", "There is no rollout nonsense"),
        ("audit approvals nonsense", "There is no rollout nonsense"),
        (
            "audit events --since yesterday",
            "and a zone, as in 2026-11-20T14:05Z",
        ),
        ("audit events --group-by year", "there is no group year"),
    ],
)
def test_a_wrong_question_is_refused_in_a_line(empty: Terminal, words: str, problem: str) -> None:
    assert problem in empty.refuses(*words.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("audit approvals", "Nobody agreed to anything."),
        ("audit denied", "Nothing was refused."),
        ("audit events", "No event matches."),
        ("audit events --type alert", "all that begin so: --type 'alert.*'"),
        ("events query --type alert", "all that begin so: --type 'alert.*'"),
        ("events query --text INC-7", "No event matches."),
        ("audit events --group-by day", "No event matches."),
    ],
)
def test_where_there_is_nothing_it_says_so(empty: Terminal, words: str, told: str) -> None:
    assert told in empty.says(*words.split())
    assert empty.data(*words.split()) == []


@pytest.mark.usefixtures("story")
def test_a_report_is_written_to_a_file_or_printed(terminal: Terminal) -> None:
    words = ["audit", "report", ROLLOUT]
    said = terminal.says(*words, "-o", "report.html")
    assert f"{ROLLOUT} as of log position" in said
    written = (terminal.folder / "report.html").read_text(encoding="utf-8")
    assert written == terminal.says(*words) == terminal.says(*words, "--format", "html")
    assert written.startswith("<!doctype html>")
    markdown = terminal.says(*words, "--format", "markdown", "--at", "20", "--no-walk-log")
    assert markdown.startswith(f"# {ROLLOUT}\n")
    assert "as of log position 20" in markdown
    assert "There is no rollout nonsense" in terminal.refuses("audit", "report", "nonsense")
