"""What an alert rule is: a condition, a severity, and a playbook for whoever is called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from events.alerts import Severity
from events.timestamps import HOUR, MINUTE, Timestamp
from projections.flags import Flag
from projections.rollouts import Rollout
from projections.vitals import Vitals


@dataclass(frozen=True, kw_only=True)
class Watched:
    """All that a rule may know."""

    flag: Flag
    vitals: Vitals
    rollout: Rollout | None
    now: Timestamp


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule sees. `no_data`: too little evidence to speak, which is not good news."""

    state: Literal["firing", "ok", "no_data"]
    value: float = 0.0
    threshold: float = 0.0
    unit: str = ""
    sample: int = 0
    summary: str = ""


NO_DATA = Finding(state="no_data")
Judging = Callable[[Watched], Finding]

ENOUGH_TO_RESOLVE = 20
"""Executions without a fault in the window before a rule about single ones says it is over."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One of the definitions, with its response playbook."""

    name: str
    severity: Severity
    condition: str
    judge: Judging
    playbook: tuple[str, ...]
    disables_flag: bool = False
    """Whether the flag goes off by itself while the rule fires."""
    threshold: float | None = None
    """Where it has one that can be set."""
    minutes: int | None = None
    """How far back it looks, where that can be set."""
    judging: Callable[[float, int], Judging] | None = None
    """What makes `judge` of other numbers."""

    @property
    def acknowledge_within_us(self) -> int | None:
        """Target for somebody to take it; None: the next working day."""
        return {"critical": 5 * MINUTE, "warning": 30 * MINUTE, "info": None}[self.severity]

    @property
    def resolve_within_us(self) -> int | None:
        """Target for it to be over; None: the next working day."""
        return {"critical": 15 * MINUTE, "warning": 4 * HOUR, "info": None}[self.severity]
