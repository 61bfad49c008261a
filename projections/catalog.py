"""Every read model, once."""

from typing import Any

from projections.access import REVIEWS, TOKENS
from projections.alerts import ALERTS
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.freezes import FREEZES
from projections.incidents import INCIDENTS
from projections.metrics import METRICS, TOTALS
from projections.projection import Projection
from projections.rollouts import ROLLOUTS
from projections.vitals import VITALS
from projections.webhooks import DEAD_LETTERS, WEBHOOKS

PROJECTIONS: dict[str, Projection[Any]] = {
    projection.name: projection
    for projection in (
        FLAGS,
        ROLLOUTS,
        METRICS,
        TOTALS,
        EVIDENCE,
        VITALS,
        ALERTS,
        FREEZES,
        INCIDENTS,
        TOKENS,
        REVIEWS,
        WEBHOOKS,
        DEAD_LETTERS,
    )
}
