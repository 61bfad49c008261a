"""The alert that a person raises by acting alone where two should."""

from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched


def _judge(_watched: Watched) -> Finding:
    """No look finds it, and none finds it gone: the deed raises it, and people close it."""
    return NO_DATA


GLASS_BROKEN = Rule(
    name="GLASS_BROKEN",
    severity="warning",
    condition="one person alone raised an exposure past its rollout, or past an open alert",
    judge=_judge,
    playbook=(
        "Who, and why: controlplane access reviews. Ask them now, not tomorrow.",
        "Not convinced? controlplane flags disable FLAG --reason WHY needs nobody's approval.",
        "Else lower it to what was planned, or let it stand. Nothing is promoted meanwhile.",
        "A second person closes it: controlplane access close-review REVIEW --note WHAT.",
    ),
)
"""Not one of the eight that watch batches: it watches people."""
