"""Rules about batches that fail, and invariants that do not hold."""

from typing import Literal

from controlplane.rules.rule import ENOUGH_TO_RESOLVE, NO_DATA, Finding, Judging, Rule, Watched
from controlplane.statistics.sequential import binomial_tail
from projections.vitals import Minute

_NAMED = 3
"""Invariants that an alert names."""
_ALPHA = 0.001
"""How rarely a rate at its threshold may look like one above it. Rules look often."""


def _error_rate_above(threshold: float, minutes: int) -> Judging:
    """Fire where so many failures would be all but impossible at the threshold.

    Exact one-sided binomial test: 5 of 5 failures speak for "> 20 %", 1 of 1 does not.
    """

    def judge(watched: Watched) -> Finding:
        seen = watched.vitals.window(watched.now, minutes)
        if not watched.flag.enabled or not seen.executions:
            return NO_DATA
        rate = seen.failed / seen.executions
        if rate > threshold and binomial_tail(seen.failed, seen.executions, threshold) <= _ALPHA:
            state: Literal["firing", "ok"] = "firing"
        elif rate <= threshold and binomial_tail(1, seen.executions, threshold) >= 1 - 0.05:
            state = "ok"  # At the threshold, some failure would almost surely have shown.
        else:
            return NO_DATA
        return Finding(
            state=state,
            value=rate,
            threshold=threshold,
            unit="ratio",
            sample=seen.executions,
            summary=f"{seen.failed} of {seen.executions} executions failed in {minutes} min "
            f"= {rate:.1%}, threshold {threshold * 100:g}%",
        )

    return judge


def _violations_above(threshold: float, minutes: int) -> Judging:
    def judge(watched: Watched) -> Finding:
        seen = watched.vitals.window(watched.now, minutes)
        fires = seen.violations > threshold
        if not watched.flag.enabled or not (fires or seen.executions >= ENOUGH_TO_RESOLVE):
            return NO_DATA
        return Finding(
            state="firing" if fires else "ok",
            value=seen.violations,
            threshold=threshold,
            unit="violations",
            sample=seen.executions,
            summary=f"{_violations(seen)} in {seen.executions} executions in {minutes} min, "
            f"threshold {threshold:g}",
        )

    return judge


def _violations(seen: Minute) -> str:
    """How many, and of which invariants: what whoever is woken asks first."""
    many = "" if seen.violations == 1 else "s"
    often = sorted(seen.broken, key=lambda name: (-seen.broken[name], name))
    more = ", …" if len(often) > _NAMED else ""
    names = f" ({', '.join(often[:_NAMED])}{more})" if often else ""
    return f"{seen.violations} invariant violation{many}{names}"


INVARIANT_VIOLATION_DETECTED = Rule(
    name="INVARIANT_VIOLATION_DETECTED",
    severity="critical",
    condition="any invariant violated within 15 min",
    judge=_violations_above(0, 15),
    judging=_violations_above,
    threshold=0,
    minutes=15,
    disables_flag=True,
    playbook=(
        "Page on-call at once. The flag is off already; check it: controlplane flags show FLAG.",
        "Find the batches: controlplane events query --type execution.batch_executed --since TIME.",
        "Reproduce one in a test, name the invariant, fix the layer that broke it.",
        "Resolve the alert with the cause, then start a new rollout from wave 1.",
    ),
)

ERROR_RATE_CRITICAL = Rule(
    name="ERROR_RATE_CRITICAL",
    severity="critical",
    condition="error rate above 20 % over 5 min",
    judge=_error_rate_above(0.20, 5),
    judging=_error_rate_above,
    threshold=0.20,
    minutes=5,
    disables_flag=True,
    playbook=(
        "The flag is off already; check it: controlplane flags show FLAG.",
        "Investigate: what do the errors say, since which deployment, in which layer?",
        "Fix, and prove it with a test that fails without the fix.",
        "Resolve the alert with the cause, then start a new rollout from wave 1.",
    ),
)

ERROR_RATE_WARNING = Rule(
    name="ERROR_RATE_WARNING",
    severity="warning",
    condition="error rate above 5 % over 15 min",
    judge=_error_rate_above(0.05, 15),
    judging=_error_rate_above,
    threshold=0.05,
    minutes=15,
    playbook=(
        "Acknowledge, and compare with the control cohort: is it the new code?",
        "If it is: controlplane rollouts abort ROLLOUT --reason WHY. Rolling back is cheap.",
        "If it is not: find the shared cause; the wave waits by itself.",
    ),
)

HIGH_VIOLATION_RATE = Rule(
    name="HIGH_VIOLATION_RATE",
    severity="warning",
    condition="more than 10 invariant violations within an hour",
    judge=_violations_above(10, 60),
    judging=_violations_above,
    threshold=10,
    minutes=60,
    playbook=(
        "See which invariants: controlplane events query --type execution.batch_executed.",
        "Keep the flag off until the cause is known; violations mean wrong results, not slow ones.",
    ),
)
