"""Rules about batches that take too long."""

from controlplane.rules.rule import ENOUGH_TO_RESOLVE, NO_DATA, Finding, Rule, Watched
from projections.vitals import SLOW_US

_MINUTES = 5


def _judge(watched: Watched) -> Finding:
    seen = watched.vitals.window(watched.now, _MINUTES)
    if not watched.flag.enabled or not (seen.slow or seen.executions >= ENOUGH_TO_RESOLVE):
        return NO_DATA
    slowest_ms = seen.slowest_us / 1000
    threshold_ms = SLOW_US / 1000
    return Finding(
        state="firing" if seen.slow else "ok",
        value=slowest_ms,
        threshold=threshold_ms,
        unit="ms",
        sample=seen.executions,
        summary=f"{seen.slow} of {seen.executions} executions took over {threshold_ms:.0f} ms "
        f"in {_MINUTES} min, the slowest {slowest_ms:.0f} ms",
    )


SLOW_BATCH_DETECTED = Rule(
    name="SLOW_BATCH_DETECTED",
    severity="warning",
    condition="a batch took longer than 1000 ms within 5 min",
    judge=_judge,
    playbook=(
        "Which layer? Compare semantics_us, normalizer_us and executor_us of the slow batches.",
        "One outlier: note it. Many: abort before the wave's P95 does.",
    ),
)
