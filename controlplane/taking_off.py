"""A rule that fires takes its flag off: when, why, and what that comes to."""

from collections.abc import Sequence

from controlplane import commands, flags, rollouts
from controlplane.rules.rule import Finding, Rule
from events.event import Actor, Event
from events.timestamps import Timestamp
from projections.flags import Flag
from projections.rollouts import Rollout

WATCHER = Actor.system("alert-rules")
"""Who acts where a rule does."""


def is_due(rule: Rule, finding: Finding) -> bool:
    """Whether the flag may not stay on; though its alert be open already."""
    return rule.disables_flag and finding.state == "firing"


def reason(rule: Rule, finding: Finding) -> str:
    """Why it is off."""
    return f"{rule.name}: {finding.summary}"


def decide(flag: Flag, rollout: Rollout | None, why: str, now: Timestamp) -> Sequence[Event]:
    """Roll back the rollout in charge; without one, switch off."""
    if rollout is None:
        return flags.decide(flag, flags.DisableFlag(reason=why))
    abort = commands.Abort(reason=why, aborted_by=WATCHER.id, trigger="alert")
    return rollouts.decide(rollout, abort, now)
