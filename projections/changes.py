"""What differs between two states of a row, in the few facts that people speak of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from projections.alerts import ALERTS, Alert
from projections.flags import FLAGS, Flag
from projections.freezes import FREEZES, Freezes
from projections.incidents import INCIDENTS, Incidents
from projections.metrics import TOTALS, Tally
from projections.projection import Projection
from projections.replay import PastWorld
from projections.rollouts import ROLLOUTS, Rollout

Facts = Mapping[str, object]


class Change(msgspec.Struct, frozen=True):
    """One fact of one row, as it was and as it is; None where there is no such fact."""

    projection: str
    key: str
    fact: str
    before: Any
    after: Any


def _flag(flag: Flag) -> Facts:
    shares = {f"percentage of {e.audience.name}": e.percentage for e in flag.exposures}
    conditions = {
        f"conditions of {e.audience.name}": msgspec.to_builtins(e.audience.conditions)
        for e in flag.exposures
        if e.audience.conditions
    }
    return {
        "enabled": flag.enabled,
        "archived": flag.archived,
        **shares,
        **conditions,
        "owner": flag.owner,
        "description": flag.description,
        "tags": list(flag.tags),
        "kind": flag.kind,
        "variants": msgspec.to_builtins(flag.variants),
        "default": flag.default,
        "rollout": flag.rollout,
    }


def _rollout(rollout: Rollout) -> Facts:
    proposal, found = rollout.proposal, rollout.interventions
    return {
        "state": rollout.state,
        "wave": rollout.wave_name,
        "percentage": rollout.percentage,
        "verdict": rollout.verdict,
        "reason": rollout.reason,
        "proposal": proposal and proposal.id,
        "approved by": [one.by for one in proposal.approvals] if proposal else [],
        "start approved by": [one.by for one in rollout.start_approvals],
        "held by": [hold.kind for hold in rollout.holds],
        "overridden": [one.criterion for one in found.overrides if one.approved_by],
        "signed off": [one.item for one in found.sign_offs],
        "extended_us": found.extended_us,
        "plan_hash": rollout.plan_hash,
    }


def _alert(alert: Alert) -> Facts:
    return {
        "alert": alert.id,
        "open": alert.open,
        "severity": alert.severity,
        "summary": alert.summary,
        "acknowledged by": alert.acknowledged_by,
        "resolution": alert.resolution,
    }


def _freezes(freezes: Freezes) -> Facts:
    return {freeze.id: freeze.reason for freeze in freezes.standing}


def _incidents(incidents: Incidents) -> Facts:
    return {
        one.id: "closed" if not one.is_open else "recovered" if one.recovered_at else "open"
        for one in incidents.all
    }


def _tally(tally: Tally) -> Facts:
    return {
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "rejected": tally.rejected,
        "violations": sum(tally.violations.values()),
    }


FACTS: Sequence[tuple[Projection[Any], Callable[[Any], Facts]]] = (
    (FLAGS, _flag),
    (ROLLOUTS, _rollout),
    (ALERTS, _alert),
    (FREEZES, _freezes),
    (INCIDENTS, _incidents),
    (TOTALS, _tally),
)
"""Of each read model that is told of, the facts of a row."""


def between(before: PastWorld, after: PastWorld) -> list[Change]:
    """All that differs between two moments."""
    found: list[Change] = []
    for projection, facts in FACTS:
        was, is_ = dict(before.scan(projection)), dict(after.scan(projection))
        for key in sorted({**was, **is_}):
            rows = (facts(rows[key]) if key in rows else {} for rows in (was, is_))
            found += of_row(projection.name, key, *rows)
    return found


def of_row(projection: str, key: str, before: Facts, after: Facts) -> Iterator[Change]:
    """What differs in one row."""
    for fact in dict.fromkeys([*before, *after]):
        was, is_ = before.get(fact), after.get(fact)
        if was != is_ and (was or is_):  # From nothing to none, nothing changed.
            yield Change(projection, key, fact, was, is_)
