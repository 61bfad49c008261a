"""A compliance report: what is in it, that a position gives one, and that it cannot be broken."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.errors import InvalidInput, RolloutNotFound
from controlplane.reports.blocks import Cell, Document, Table, Text
from controlplane.reports.markdown import to_markdown
from controlplane.reports.markup import element
from controlplane.reports.writing import Format, write
from events.database import Database
from events.timestamps import HOUR
from tests.conftest import Clock
from tests.contracts.test_tampering import tamper
from tests.journeys.traffic import FLAG
from tests.plane.audited import ROLLOUT, Audited, audited, drafted, promoted, rolled_back

EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></head><body onload=alert(1)>",
    "<!-- ",
    "| a | b |",
    "# not a heading",
    "`code` **bold** [link](http://evil.example) http://evil.example www.evil.example",
    "two\nlines\r\n\n# and more",
    "right\u202eto left\u200b",
    "&lt;b&gt;",
]
"""What somebody may write into reasons and notes, to be read by an auditor."""
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "h1", "h2"),
    *("h3", "p", "dl", "div", "dt", "dd", "span", "b", "table", "thead", "tbody", "tr", "th", "td"),
    *("code", "pre", "figure", "svg", "line", "path", "circle", "text"),
}
ATTRIBUTES = {
    *("lang", "charset", "http-equiv", "content", "name", "class", "scope", "aria-hidden"),
    *("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "d", "viewbox", "role", "text-anchor"),
}


class Reading(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def told(plane: ControlPlane, clock: Clock) -> Audited:
    story = audited(plane, clock)
    for part in (drafted, promoted, rolled_back):
        part(story)
    return story


@pytest.fixture
def story(clock: Clock) -> Iterator[Audited]:
    with ControlPlane("memory://", clock=clock) as plane:
        yield told(plane, clock)


def page(story: Audited, form: Format = "html", at: int | None = None) -> str:
    return write(story.plane.audit.report(ROLLOUT, at=at), form)


def test_it_has_the_plan_the_people_the_evidence_and_the_end(
    plane: ControlPlane, clock: Clock
) -> None:
    story = told(plane, clock)
    read = Reading(page(story))
    head = plane.head()
    for words in (
        "Rolled back",
        "two-waves, version 1",
        "cleo, 2026-09-21",  # who signed the runbook
        "rehearsed",
        "agreed to the start (6); agreed to a promotion",
        story.token,
        "Stage 1: half",
        "0 of 480 failed = 0.0%, upper bound 0.9%, need error rate < 5 %",
        "n_all 480",
        f"{ROLLOUT}-p1 approved by ben: all green",
        "paused: odd output",
        "ERROR_RATE_CRITICAL/1",
        "freeze-1 declared for all flags: INC-7",
        "reports, 2026-09-21",  # what confirmed the rollback
        "6 judgements and 1 proposal computed again from the log: identical",
        f"intact: events 1 to {head.position}, each by its hash",
        f"controlplane log verify --expect {head.position}:{head.hash.hex()}",
    ):
        assert words in read.text, words


def test_its_commands_name_an_environment_that_is_not_the_usual_one(clock: Clock) -> None:
    with ControlPlane("memory://", environment="demo", clock=clock) as plane:
        read = Reading(page(told(plane, clock))).text
    for command in ("log verify --expect", "rollouts verify", "audit report"):
        assert f"controlplane --environment demo {command} " in read


def test_a_position_gives_one_report_whatever_happened_since(story: Audited) -> None:
    plane, clock, at = story.plane, story.clock, story.plane.head().position
    before = {form: page(story, form, at) for form in ("html", "markdown")}  # type: ignore[arg-type]  # why: one of the two
    assert before["html"] == page(story)
    clock.advance(HOUR)
    plane.freezes.lift("freeze-1", reason="over", actor="cleo")
    for alert in plane.alerts.open():
        plane.alerts.resolve(alert.id, reason="mended", actor="cleo")
    plane.rollouts.retry(ROLLOUT, actor="ana")
    for form, earlier in before.items():
        assert page(story, form, at) == earlier  # type: ignore[arg-type]  # why: one of the two
    assert page(story) != before["html"]


def test_at_any_position_there_is_a_report_of_what_was_known_then(story: Audited) -> None:
    outcomes, seen = {"In progress: half", "A draft", "May start", "Rolled back"}, set[str]()
    for event in story.plane.events(slice="rollouts"):
        read = Reading(page(story, at=event.position))
        seen |= outcomes & set(read.words)
        assert f"log position {event.position}" in read.text
    assert seen == outcomes


def test_what_was_not_there_yet_has_no_report(story: Audited) -> None:
    with pytest.raises(RolloutNotFound):
        story.plane.audit.report("nonsense")
    with pytest.raises(RolloutNotFound):
        story.plane.audit.report(ROLLOUT, at=2)
    for position in (0, -1, story.plane.head().position + 1):
        with pytest.raises(InvalidInput, match="the log has positions 1 to"):
            story.plane.audit.report(ROLLOUT, at=position)


@pytest.fixture
def poisoned(clock: Clock) -> Iterator[Audited]:
    """A rollout, all of whose words were written by somebody who means no good."""
    with ControlPlane("memory://", clock=clock) as plane:
        story = audited(plane, clock)
        drafted(story)
        plane.rollouts.start(rollout=ROLLOUT, actor="ana")
        for evil in EVIL:
            words = evil if evil.isprintable() else " ".join(evil.split())
            plane.rollouts.pause(ROLLOUT, reason=words, actor=words.replace("\n", " ")[:200])
            plane.rollouts.resume(ROLLOUT, reason=evil, actor="cleo")
            plane.freezes.declare(reason=evil, actor="cleo", name=evil[:90])
        plane.rollouts.abort(ROLLOUT, reason="".join(EVIL), actor="cleo")
        yield story


def test_no_words_become_markup(poisoned: Audited) -> None:
    text = page(poisoned)
    read = Reading(text)
    assert read.tags <= TAGS
    assert read.attributes <= ATTRIBUTES
    assert "alert(1)" in read.text
    assert text.count("<style>") == text.count("</style>") == 1
    assert "\u202e" not in text
    assert "\u200b" not in text
    assert "<script" not in text.lower()
    assert "url(" not in text


def test_in_markdown_no_words_leave_their_place(poisoned: Audited) -> None:
    text = page(poisoned, "markdown")
    plain = page_without_evil(poisoned)
    assert [line for line in text.splitlines() if line.startswith("#")] == plain
    assert "<script>" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"(?<!\\)://", text)
    for table in re.split(r"\n(?!\|)", text):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) <= 1


def page_without_evil(poisoned: Audited) -> list[str]:
    """The headings that are ours."""
    text = page(poisoned, "html")
    found = re.findall(r"<h([123])>(.*?)</h", text)
    return [f"{'#' * int(level)} {name}" for level, name in found]


@given(st.text(), st.text())
def test_an_element_says_what_it_was_given(text: str, attribute: str) -> None:
    made = element("p", text, class_=attribute)
    assert "<" not in made[2:].split(">", 1)[1].rsplit("</p>", 1)[0]
    read = Reading(made)
    assert read.tags == {"p"}
    assert read.attributes <= {"class"}


@given(st.lists(st.text(), min_size=2, max_size=2), st.text())
def test_a_row_in_markdown_keeps_its_columns(row: list[str], text: str) -> None:
    document = Document("t", "s", Cell("o"), [Table(("a", "b"), [row]), Text(text)], "c")
    *_, third = (line for line in to_markdown(document).splitlines() if line.startswith("| "))
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", third)) == 3


def test_a_log_that_was_altered_is_said_to_be(clock: Clock, url: str) -> None:
    with ControlPlane(url, clock=clock) as plane:
        story = told(plane, clock)
        (paused,) = plane.events(type="rollout.held")
        early = page(story, at=paused.position - 1)
        database = Database(url)
        tamper(
            database,
            f"UPDATE event_log SET actor_name = 'nobody' WHERE position = {paused.position}",  # noqa: S608  why: ours
        )
        database.close()
        assert page(story, at=paused.position - 1) == early
        broken = Reading(page(story)).text
    assert f"The log was altered at position {paused.position}" in broken
    assert "intact" not in broken


def test_a_log_that_was_not_walked_is_not_said_to_be_intact(story: Audited) -> None:
    text = write(story.plane.audit.report(ROLLOUT, walk_log=False), "html")
    assert "not walked for this report" in text
    assert "intact" not in text


def test_what_was_judged_wrongly_is_told(clock: Clock, url: str) -> None:
    with ControlPlane(url, clock=clock) as plane:
        story = told(plane, clock)
        database = Database(url)
        tamper(
            database,
            'UPDATE event_log SET data = replace(data, \'"outcome":"succeeded"\', '
            "'\"outcome\":\"failed\"') WHERE type = 'execution.batch_executed' AND position < 100",
        )
        database.close()
        read = Reading(page(story)).text
    assert "came out otherwise" in read


def test_it_needs_nothing_from_elsewhere(story: Audited) -> None:
    text = page(story)
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http-equiv", "")
    assert FLAG in text
