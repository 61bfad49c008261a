"""The eight alert rules, once."""

from controlplane.rules.failures import (
    ERROR_RATE_CRITICAL,
    ERROR_RATE_WARNING,
    HIGH_VIOLATION_RATE,
    INVARIANT_VIOLATION_DETECTED,
)
from controlplane.rules.memory import MEMORY_LEAK_DETECTED
from controlplane.rules.overriding import GLASS_BROKEN
from controlplane.rules.rollbacks import ROLLBACK_STALLED
from controlplane.rules.rule import Rule
from controlplane.rules.slowness import SLOW_BATCH_DETECTED
from controlplane.rules.staleness import TELEMETRY_STALE, WAVE_STALLED

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        INVARIANT_VIOLATION_DETECTED,
        ERROR_RATE_CRITICAL,
        MEMORY_LEAK_DETECTED,
        SLOW_BATCH_DETECTED,
        ERROR_RATE_WARNING,
        HIGH_VIOLATION_RATE,
        TELEMETRY_STALE,
        WAVE_STALLED,
    )
}

WATCHED: dict[str, Rule] = RULES | {
    ROLLBACK_STALLED.name: ROLLBACK_STALLED,
    GLASS_BROKEN.name: GLASS_BROKEN,
}
"""All that are watched: the eight about batches, and those about rollbacks and about people."""
