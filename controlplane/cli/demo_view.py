"""What the demo shows while it runs."""

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from controlplane.cli.output import clean, styled
from controlplane.plane.explanations import Status
from projections.alerts import Alert


def frame(status: Status, alerts: list[Alert], position: int, note: str) -> RenderableType:
    """One picture of the rollout: waves, numbers, criteria, alerts."""
    parts: list[RenderableType] = [_waves(status), Text(), _numbers(status, position), Text()]
    if status.assessment is not None:
        parts.append(_criteria(status))
    for alert in alerts:
        line = Text.assemble("  alert  ", styled(alert.severity), " ", clean(alert.rule), "  ")
        parts.append(line + clean(alert.summary))
    if status.rollout.proposal is not None:
        proposal = status.rollout.proposal
        parts.append(
            Text(f"  proposal {proposal.id} to {proposal.to} waits for on-call", style="bold cyan")
        )
    parts.append(Text(f"\n  {note}", style="dim"))
    title = f"{status.rollout.id}: {status.rollout.state.replace('_', ' ')}"
    return Panel(Group(*parts), title=title, title_align="left", padding=(1, 2))


def _waves(status: Status) -> RenderableType:
    """One cell a stage: done, running, to come."""
    rollout = status.rollout
    names = [f"{w.name}\n{w.percentage:g} % {w.audience.name}" for w in status.plan.waves]
    if status.plan.soak is not None:
        names.append("soak\n14 stable days")
    table = Table.grid(expand=True)
    cells = []
    for number, name in enumerate(names, 1):
        table.add_column(ratio=1)
        done = rollout.state == "completed" or number < rollout.wave
        mark, style = ("✓", "green") if done else ("○", "dim")
        if number == rollout.wave and not done:
            undone = rollout.phase in ("rolling_back", "rolled_back")
            mark, style = ("✗", "bold red") if undone else ("●", "bold cyan")
        cells.append(Text(f"{mark} {name}", style=style))
    table.add_row(*cells)
    return table


def _numbers(status: Status, position: int) -> RenderableType:
    wave = status.evidence
    rate = f"{wave.failed / wave.executions:.2%}" if wave.executions else "no data"
    p95 = wave.own.durations.quantile(0.95)
    latency = "no data" if p95 is None else f"{p95 / 1000:.2f} ms"
    return Text.assemble(
        ("  exposure ", "dim"), f"{status.flag.percentage:g} %",
        ("   error rate ", "dim"), rate,
        ("   P95 ", "dim"), latency,
        ("   new path ", "dim"), f"{wave.executions} batches",
        ("   log ", "dim"), f"{position} events",
    )  # fmt: skip


def _criteria(status: Status) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for judgement in status.assessment.judgements if status.assessment else ():
        table.add_row(
            clean(judgement.criterion),
            ProgressBar(total=1, completed=judgement.progress, width=16),
            styled(judgement.verdict),
            clean(judgement.sentence),
        )
    return table
