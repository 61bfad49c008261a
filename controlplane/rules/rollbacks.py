"""The rule about the control plane's own acts: a rollback that clients do not follow."""

from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from events.timestamps import SECOND

_PROMISED_SECONDS = 30.0


def _judge(watched: Watched) -> Finding:
    rollout = watched.rollout
    if rollout is None or not rollout.rollback_at:
        return NO_DATA
    since_us = max(0, watched.vitals.last_at - rollout.rollback_at)
    # Told of late, it counts all the same; but what runs since somebody switched on again may.
    off = not watched.flag.enabled and watched.vitals.since <= rollout.rollback_at
    stalled = rollout.stalled and rollout.phase == "rolling_back"
    late = stalled or (off and since_us > _PROMISED_SECONDS * SECOND)
    return Finding(
        state="firing" if late else "ok",
        value=since_us / SECOND,
        threshold=_PROMISED_SECONDS,
        unit="seconds",
        summary=f"the new code still ran {since_us / SECOND:.0f} s after {rollout.id} was rolled "
        f"back, promised within {_PROMISED_SECONDS:.0f} s",
    )


ROLLBACK_STALLED = Rule(
    name="ROLLBACK_STALLED",
    severity="critical",
    condition="clients still report the new code 30 s after a rollback",
    judge=_judge,
    playbook=(
        "The flag is off: controlplane flags show FLAG. Somebody does not see it.",
        "Which? controlplane events query --type execution.batch_executed: unit, instance.",
        "Restart those processes, or cut their connection to what they cached; then resolve.",
    ),
)
"""Not one of the eight that watch batches: it watches the promise of a rollback."""
