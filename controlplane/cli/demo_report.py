"""What the demo has shown, when it is over."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controlplane.cli.output import console, line, print_table
from controlplane.cli.workload import FLAG, Incident
from controlplane.durations import rough_duration
from controlplane.plane import ControlPlane
from controlplane.plans import Plan
from events.event import Event, RecordedEvent
from events.executions import BatchExecuted, execution_stream
from events.flags import FlagDisabled, flag_stream
from events.timestamps import SECOND
from projections.vitals import SLOW_US

_PLAN = "days.yaml"
"""The built-in plan as it is, with holds of days, to be tried on what the demo did in seconds."""


@dataclass(frozen=True)
class Breakage:
    """What was broken in the new path, and at which log position; None and 0 for nothing."""

    incident: Incident | None
    position: int


def report(plane: ControlPlane, rollout: str, plan: Plan, broken: Breakage, file: Path) -> None:
    """Print how it went, that the record holds, and what to try next."""
    found = plane.rollouts.get(rollout)
    on, off = plane.metrics.total(FLAG, "on"), plane.metrics.total(FLAG, "off")
    console.print()
    line(f"{rollout}: {found.state.replace('_', ' ')}. {found.reason}")
    rows = []
    for name, tally in (("new path", on), ("old path", off)):
        p95 = tally.durations.quantile(0.95) or 0
        rate = f"{tally.error_rate or 0:.2%}"
        rows.append((name, tally.executions, tally.failed, rate, f"{p95 / 1000:.2f} ms"))
    print_table(("", "batches", "failed", "error rate", "P95"), rows, "")
    if broken.incident is not None:
        console.print()
        line(_reaction(plane, broken))
    for alert in plane.alerts.all():
        line(f"alert {alert.id}: {alert.summary}")
    head = plane.verify()
    console.print()
    line(f"The log is intact: {head.position} events, head {head.hash.hex()}")
    holds = " ".join(rough_duration(wave.hold) for wave in plan.waves)
    soak = f", soak {rough_duration(plan.soak.hold)}" if plan.soak else ""
    line(f"Holds were scaled to {holds}{soak}; everything else was real.")
    steps = _next_steps(rollout, [one.id for one in plane.incidents.all()])
    if broken.incident is not None:
        steps += ["alerts list", "alerts rules"]
    console.print("\nTry next:")
    for step in steps:
        line(f"  {_command()} --database sqlite:///{file} --environment {plane.environment} {step}")
    if broken.incident is None:
        line(f"  {_command()} demo --incident violations   (or leak, errors, slow)")


def _reaction(plane: ControlPlane, broken: Breakage) -> str:
    """How long it took from the first bad batch to exposure 0, as the log has it."""
    disabled = next(
        (e for e in plane.log.read_stream(flag_stream(FLAG)) if isinstance(e.event, FlagDisabled)),
        None,
    )
    executions = plane.log.read_stream(execution_stream(FLAG))
    first = next((e for e in executions if _is_bad(e, broken)), None)
    if disabled is None or first is None:
        return "The new path never showed its fault."
    seconds = (disabled.recorded_at - first.occurred_at) / SECOND
    what = {Incident.SLOW: "slow", Incident.LEAK: "leaking"}.get(
        broken.incident or Incident.ERRORS, "failed"
    )
    return (
        f"{seconds:.1f} s from the first {what} batch (position {first.position}) "
        f"to exposure 0 (position {disabled.position})"
    )


def _is_bad(recorded: RecordedEvent[Event], broken: Breakage) -> bool:
    event = recorded.event
    if not isinstance(event, BatchExecuted) or event.cohort == "off":
        return False
    match broken.incident:
        case Incident.SLOW:
            return event.duration_us > SLOW_US
        case Incident.LEAK:  # Each one leaks from then on.
            return recorded.position > broken.position
        case _:
            return event.outcome == "failed"


def _command() -> str:
    """How this program was called, so that what is printed can be copied."""
    called = Path(sys.argv[0])
    if not called.is_absolute():
        return str(called)
    try:
        return str(called.relative_to(Path.cwd()))
    except ValueError:
        return "controlplane"


def _next_steps(rollout: str, incidents: Sequence[str]) -> list[str]:
    """What there is to ask of what happened. Not everything that breaks becomes an incident."""
    steps = [
        f"rollouts explain {rollout}",
        f"rollouts verify {rollout}",
        f"flags explain {FLAG} user-17 -a group=internal",
    ]
    of = f"--rollout {rollout}"
    if incidents:
        of = f"--incident {incidents[0]}"
        steps += ["incidents list --all", f"incidents show {incidents[0]}"]
    return [
        *steps,
        f"replay {incidents[0] if incidents else rollout}",
        f"replay {rollout} --check",
        f"rollouts plan > {_PLAN}",
        f"rehearse --plan {_PLAN} {of}",
        f"audit who-changed {FLAG}",
        f"audit timeline {rollout}",
        f"audit report {rollout} -o report.html",
        "log verify",
    ]
