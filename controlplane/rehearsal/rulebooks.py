"""What is tried: a plan, alert rules, or both, in place of those that were in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.plans import Plan
from controlplane.rules.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """What is to be in force instead; what it leaves out is as it was."""

    name: str
    plan: Plan | None = None
    """None: each rollout has the plan that it had."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """The alert rules that are judged anew, by name. What others said is taken as it was told."""
