"""Every kind of criterion that a plan may ask for. `bake_time` every wave has by itself."""

from typing import Annotated, get_args

from pydantic import Field

from controlplane.criteria.exposure_matches import ExposureMatches
from controlplane.criteria.external import External
from controlplane.criteria.manual import Manual
from controlplane.criteria.not_worse_than import NotWorseThan
from controlplane.criteria.quantile_below import QuantileBelow
from controlplane.criteria.rate_below import RateBelow
from controlplane.criteria.stable import Stable
from controlplane.criteria.sustained import Sustained
from controlplane.criteria.trend_down import TrendDown
from controlplane.criteria.verdict import CriterionModel
from controlplane.criteria.zero_events import ZeroEvents

AnyCriterion = Annotated[
    ZeroEvents
    | RateBelow
    | QuantileBelow
    | NotWorseThan
    | TrendDown
    | Stable
    | Sustained
    | ExposureMatches
    | Manual
    | External,
    Field(discriminator="kind"),
]

KINDS: dict[str, type[CriterionModel]] = {
    kind.model_fields["kind"].default: kind for kind in get_args(get_args(AnyCriterion)[0])
}
"""The kinds by name."""


def unanswerable(
    criterion: CriterionModel, *, first: bool, everyone: bool, windows: int
) -> str | None:
    """Why a criterion could never pass in a stage: the first one, at 100 %, of so many windows."""
    match criterion:
        case NotWorseThan(baseline="control") if everyone:
            return "needs a control, and at 100 % there is none; compare with the previous wave"
        case NotWorseThan(baseline="previous_wave") if first:
            return "compares with the wave before, and before the first there is none"
        case TrendDown(or_not_worse_by=None):
            most = windows * (criterion.looks + 1) // 2  # The last look is that much later.
            if most < criterion.min_windows:
                return (
                    f"needs {criterion.min_windows} windows to see a trend in, and until its last "
                    f"look there are {most}; choose a narrower window or a longer hold"
                )
        case _:
            pass
    return None
