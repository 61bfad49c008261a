"""Stage by stage: what was shown, who agreed on it, and what came of it."""

from collections.abc import Iterator

from controlplane.durations import rough_duration
from controlplane.reports.blocks import AnyCell, Block, Cell, Facts, Heading, Table, Text, Tone
from controlplane.reports.contents import Proposed, Stage
from controlplane.reports.happenings import by_token, moment, some, who
from controlplane.sentences import sentence
from events.event import Event
from events.promotions import ProposalApproved, WavePromoted
from events.rollouts import RollbackStarted, RolloutCompleted

_TONES: dict[str, Tone] = {
    "PASS": "good",
    "FAIL": "bad",
    "ERROR": "bad",
    "INCONCLUSIVE": "warn",
    "NO_DATA": "warn",
}
_ENDS: dict[type[Event], Tone] = {
    WavePromoted: "good",
    RolloutCompleted: "good",
    RollbackStarted: "bad",
}
_DIGITS = 6


def gates(stage: Stage) -> Iterator[Block]:
    """Of one stage."""
    yield Heading(f"Stage {stage.number}: {stage.name}")
    yield Facts(list(_facts(stage)))
    yield from _evidence(stage)
    yield from _proposals(stage)


def _facts(stage: Stage) -> Iterator[tuple[str, Cell | str]]:
    yield "Served", f"{stage.percentage:g} % of {stage.audience}"
    yield "Entered", f"{moment(stage.entered.occurred_at)} (position {stage.entered.position})"
    if stage.ended is None:
        yield "Left", "not yet"
        return
    lasted = rough_duration(stage.ended.occurred_at - stage.entered.occurred_at)
    yield (
        "Left",
        f"{moment(stage.ended.occurred_at)}, after {lasted} (position {stage.ended.position})",
    )
    tones: dict[type, Tone] = {
        WavePromoted: "good",
        RolloutCompleted: "good",
        RollbackStarted: "bad",
    }
    yield "How", Cell(sentence(stage.ended.event), tones.get(type(stage.ended.event), "quiet"))


def _evidence(stage: Stage) -> Iterator[Block]:
    yield Heading("Evidence", 3)
    if stage.judged is None:
        yield Text("It was not looked at.", "quiet")
        return
    look = stage.judged.event
    counts = ", ".join(f"{count} × {name}" for name, count in sorted(stage.looks.items()))
    yield Text(
        f"Looks recorded: {counts}. The last one, at log position {stage.judged.position}, judged "
        f"as of position {look.as_of}, {moment(look.judged_at)}: {look.verdict}, {look.reason}."
    )
    rows = [
        (
            one.criterion,
            verdict(one.verdict),
            one.sentence,
            ", ".join(f"{name} {_number(value)}" for name, value in one.numbers.items()),
        )
        for one in look.judgements
    ]
    yield Table(("criterion", "verdict", "because", "numbers"), rows, "It has no criteria.")
    yield Facts([("Digest of the evidence", Cell(look.evidence_digest, "quiet", code=True))])


def _proposals(stage: Stage) -> Iterator[Block]:
    if not stage.proposals:
        return
    yield Heading("Promotion", 3)
    rows = [row for proposed in stage.proposals for row in _asked_and_answered(proposed)]
    yield Table(("position", "time", "by", "by token", "what"), rows)


def _asked_and_answered(proposed: Proposed) -> Iterator[tuple[AnyCell, ...]]:
    asked, event = proposed.proposed, proposed.proposed.event
    needs = some(event.approvals, "approval")
    what = f"{sentence(event)}; needs {needs}; judged as of position {event.as_of}"
    yield asked.position, moment(asked.occurred_at), who(asked), "", what
    for deed in proposed.answers:
        done = deed.event
        tone: Tone = "good" if isinstance(done.event, ProposalApproved | WavePromoted) else "bad"
        said = Cell(sentence(done.event), tone)
        yield done.position, moment(done.occurred_at), who(done), by_token(deed), said


def verdict(word: str) -> Cell:
    """In its colour."""
    return Cell(word, _TONES.get(word, ""))


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.{_DIGITS}g}"
