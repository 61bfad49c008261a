"""The report as it is read: what it was, who, on which evidence, and how that can be proven."""

from collections.abc import Iterator

from controlplane.checklists import Item
from controlplane.durations import rough_duration
from controlplane.plans import Soak, Wave
from controlplane.reports.blocks import (
    Block,
    Cell,
    Commands,
    Document,
    Facts,
    Heading,
    Seals,
    Steps,
    Table,
    Text,
    Tone,
)
from controlplane.reports.contents import Report, Stage
from controlplane.reports.gates import gates
from controlplane.reports.happenings import approval, happenings, moment, some, who
from controlplane.sentences import sentence
from controlplane.settings import Settings
from events.promotions import WavePromoted
from projections.rollouts import Rollout

_MOST_PLACES = 6
_OUTCOMES: dict[str, tuple[str, Tone]] = {
    "completed": ("Completed", "good"),
    "rolled_back": ("Rolled back", "bad"),
    "rolling_back": ("Being rolled back", "bad"),
    "cancelled": ("Cancelled before it began", "quiet"),
    "draft": ("A draft", "quiet"),
    "pending_approval": ("Waits for approval of the start", "quiet"),
    "armed": ("May start", "quiet"),
}


def document(report: Report) -> Document:
    """Everything, in the order in which an auditor asks."""
    rollout = report.dossier.rollout
    stages = report.stages
    blocks = [
        *_summary(report, stages),
        *_plan(report),
        *_people(report),
        *approval(report),
        *(block for stage in stages for block in gates(stage)),
        *happenings(report),
        *_proof(report),
        *_timeline(report),
    ]
    return Document(
        title=rollout.id,
        subtitle=f"Compliance report of a rollout of {rollout.flag}, {report.environment}",
        outcome=_outcome(rollout),
        blocks=blocks,
        colophon=f"{rollout.id}, {report.environment}, as of log position {report.position}, "
        f"hash {report.hash}",
    )


def _outcome(rollout: Rollout) -> Cell:
    words, tone = _OUTCOMES.get(rollout.phase, (f"In progress: {rollout.wave_name}", "warn"))
    return Cell(words, tone)


def _summary(report: Report, stages: list[Stage]) -> Iterator[Block]:
    rollout = report.dossier.rollout
    yield Facts(list(_facts(report, stages)))
    yield Seals([("Log", _chain_seal(report)), ("Judgements", _judged_seal(report))])
    if report.steps:
        yield Heading("What was served", 3)
        yield Steps(
            steps=[(step.at, step.percentage, step.off) for step in report.steps],
            marks=[(stage.entered.occurred_at, stage.name) for stage in stages],
            end=rollout.ended_at or max(report.recorded_at, report.steps[-1].at),
        )


def _facts(report: Report, stages: list[Stage]) -> Iterator[tuple[str, Cell | str]]:
    rollout, plan = report.dossier.rollout, report.plan
    promoted = sum(isinstance(one.event, WavePromoted) for one in report.dossier.decided)
    yield "Flag", rollout.flag
    yield "Plan", f"{plan.name}, version {plan.version}"
    yield "Plan’s hash", Cell(rollout.plan_hash, code=True)
    yield "Asked for by", ", ".join(rollout.askers)
    yield "Drafted", moment(rollout.drafted_at)
    yield "Started", moment(rollout.started_at) or "not yet"
    yield "Ended", _ended(rollout)
    yield "Stages", f"{len(stages)} of {plan.stages} entered, {promoted} promoted"
    if rollout.retry_of:
        yield "Attempt", f"{rollout.attempt}, after {rollout.retry_of}"
    if rollout.is_final and rollout.rollback_at:
        yield "Because", rollout.reason
    yield "As of", f"log position {report.position}, {moment(report.recorded_at)}"
    yield "Hash there", Cell(report.hash, code=True)


def _ended(rollout: Rollout) -> str:
    if not rollout.ended_at:
        return "not yet"
    lasted = rough_duration(rollout.ended_at - (rollout.started_at or rollout.drafted_at))
    return f"{moment(rollout.ended_at)}, after {lasted}"


def _chain_seal(report: Report) -> Cell:
    if not report.chain.walked:
        return Cell("not walked for this report", "quiet")
    if report.chain.problem:
        return Cell(report.chain.problem, "bad")
    return Cell(f"intact: events 1 to {report.position}, each by its hash", "good")


def _judged_seal(report: Report) -> Cell:
    found = report.verification
    looked = f"{some(found.judgements, 'judgement')} and {some(found.proposals, 'proposal')}"
    if found.differences:
        return Cell(f"{len(found.differences)} of {looked} came out otherwise", "bad")
    if not found.judgements + found.proposals:
        return Cell("nothing was judged", "quiet")
    other = f"; {found.incomparable} by another release" if found.incomparable else ""
    return Cell(f"{looked} computed again from the log: identical{other}", "good")


def _plan(report: Report) -> Iterator[Block]:
    plan = report.plan
    yield Heading("Plan")
    stages: list[tuple[str, str, Wave | Soak]] = [
        (wave.name, f"{wave.percentage:g} % of {wave.audience.name}", wave) for wave in plan.waves
    ]
    if plan.soak is not None:
        stages.append(("soak", "as before", plan.soak))
    rows = [
        (name, serves, rough_duration(stage.hold), ", ".join(one.name for one in stage.criteria))
        for name, serves, stage in stages
    ]
    yield Table(("stage", "serves", "for at least", "must pass"), rows)
    start, promotion = (_agreement(one.needed, one.of) for one in (plan.start, plan.promotion))
    yield Text(
        f"The start needs {start}; each promotion {promotion}. Nobody who asked for the rollout "
        "counts among them.",
        "quiet",
    )
    if items := plan.items():
        yield Heading("Checklist", 3)
        rows_of_items = [_signed(item, report.dossier.rollout) for item in items]
        yield Table(("item", "in the role of", "signed by", "note"), rows_of_items)


def _signed(item: Item, rollout: Rollout) -> tuple[str, str, Cell | str, str]:
    signed = [one for one in rollout.interventions.sign_offs if one.item == item.name]
    by = ", ".join(f"{one.by}, {moment(one.at)}" for one in signed)
    missing = Cell("not signed", "bad" if item.required else "quiet")
    notes = " / ".join(one.note for one in signed if one.note)
    return item.name, item.role or "anyone", by or missing, notes


def _agreement(needed: int, of: tuple[str, ...]) -> str:
    count = some(needed, "approval") if needed else "nobody’s approval"
    return f"{count} of {', '.join(of)}" if needed and of else count


def _people(report: Report) -> Iterator[Block]:
    yield Heading("People")
    rows = [
        (
            person.id,
            "; ".join(f"{words} ({_places(places)})" for words, places in person.did.items()),
            ", ".join(person.tokens) or "at the terminal or from Python",
        )
        for person in report.people
    ]
    yield Table(("who", "did, at log position", "by token"), rows, "Nobody had a hand in it.")
    yield Text(
        "Names are as they were written into each event. Whoever acted over HTTP is the owner of "
        "the token; at the terminal and from Python a name is believed.",
        "quiet",
    )


def _places(positions: list[int]) -> str:
    more = ["…"] if len(positions) > _MOST_PLACES else []
    return ", ".join([*map(str, positions[:_MOST_PLACES]), *more])


def _proof(report: Report) -> Iterator[Block]:
    rollout, found = report.dossier.rollout, report.verification
    yield Heading("Verification")
    yield Facts([
        ("Hash chain", _chain_seal(report)),
        ("Judgements", _judged_seal(report)),
        ("Log position", report.position),
        ("Hash", Cell(report.hash, code=True)),
    ])  # fmt: skip
    if found.differences:
        rows = [(one.position, one.what, one.recorded, one.recomputed) for one in found.differences]
        yield Table(("position", "what", "recorded", "computed again"), rows)
    yield Text("Whoever has the log can hold it to this report, and make the report again:")
    command = "controlplane"
    if report.environment != Settings.model_fields["environment"].default:
        command += f" --environment {report.environment}"
    yield Commands([
        f"{command} log verify --expect {report.position}:{report.hash}",
        f"{command} rollouts verify {rollout.id}",
        f"{command} audit report {rollout.id} --at {report.position}",
    ])  # fmt: skip


def _timeline(report: Report) -> Iterator[Block]:
    yield Heading("Timeline")
    rows = []
    for line, deed in zip(report.timeline, report.deeds(), strict=True):
        again = f". Found again {some(len(line.repeats), 'time')}" if line.repeats else ""
        token = f", token {deed.command.event.token}" if deed.command is not None else ""
        event = line.event
        rows.append((
            event.position,
            moment(event.occurred_at),
            who(event) + token,
            sentence(event.event) + again,
            Cell(event.hash[:12], "quiet", code=True),
        ))  # fmt: skip
    yield Table(("position", "time", "by", "what", "hash"), rows)
