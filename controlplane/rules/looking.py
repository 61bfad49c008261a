"""What a rule looks at, and what it then finds: the same today and in every replay."""

import logging

from controlplane.reading import Getting
from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from events.timestamps import Timestamp
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.rollouts import ROLLOUTS
from projections.vitals import VITALS

logger = logging.getLogger(__name__)


def watched(reading: Getting, flag: str, now: Timestamp) -> Watched:
    """All that a rule may know of a flag."""
    latest = reading.get(EVIDENCE, flag).rollout  # In charge at that moment, or lately.
    return Watched(
        flag=reading.get(FLAGS, flag),
        vitals=reading.get(VITALS, flag),
        rollout=reading.get(ROLLOUTS, latest) if latest else None,
        now=now,
    )


def judged(rule: Rule, seen: Watched) -> Finding:
    """What a rule finds; one that cannot judge finds nothing, and the others go on.

    With the flag off, nothing is wrong any more; a critical alert stays until a person says so.
    """
    if not seen.flag.enabled and rule.severity != "critical":
        return Finding(state="ok", summary="the flag is off")
    try:
        return rule.judge(seen)
    except Exception:
        logger.exception("rule %s could not judge %s", rule.name, seen.flag.name)
        return NO_DATA
