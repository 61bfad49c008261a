"""In which order things speak against going on."""

from typing import Any

import pytest

from controlplane.assessment import assess
from events.timestamps import HOUR, MINUTE
from projections.freezes import Freezes
from tests.controlplane.rollout_stories import ITEM
from tests.controlplane.samples import GUARD, PEAK, PLANNED, held, plan, plan_data, seen, world

GOOD = seen(300)
BAD = seen(300, 100)
STALE = HOUR + 16 * MINUTE
UNSIGNED = plan_data([GUARD])["waves"]
UNSIGNED[1]["requires"] = [ITEM]
WRONG: dict[str, Any] = {
    "wave": BAD,
    "plan": plan([GUARD], waves=UNSIGNED),
    "interventions": held("criterion", "paused", "rejected", "frozen"),
    "exposures": (),
    "after": STALE,
    "open_alerts": {"checkout/RULE/1": "warning"},
    "freezes": PEAK,
}
"""All that can be wrong at once."""
RIGHT: list[tuple[str, dict[str, Any], tuple[str, str, str | None], str]] = [
    ("a guardrail", {"wave": seen(30)}, ("FAIL", "rollback", None), "error_rate: 100 of 300"),
    (
        "a failure before",
        {"interventions": held("paused", "rejected", "frozen")},
        ("FAIL", "hold", "criterion"),
        "why (a failure stands for the attempt)",
    ),
    (
        "the exposure",
        {"exposures": PLANNED},
        ("INCONCLUSIVE", "hold", "exposure"),
        "the flag serves 0 % of beta, not the planned 10 %",
    ),
    (
        "people",
        {"interventions": held("frozen")},
        ("INCONCLUSIVE", "wait", None),
        "paused by eve: why",
    ),
    (
        "freshness",
        {"after": HOUR},
        ("NO_DATA", "wait", None),
        "no execution for 16m: the evidence is stale",
    ),
    (
        "alerts",
        {"open_alerts": {}},
        ("INCONCLUSIVE", "wait", None),
        "warning alert checkout/RULE/1 is open",
    ),
    ("the criteria", {"wave": GOOD}, ("INCONCLUSIVE", "wait", None), "error_rate: 0 of 30 failed"),
    (
        "the checklist",
        {"plan": plan([GUARD])},
        ("INCONCLUSIVE", "wait", None),
        "waits for sign-off: code",
    ),
    (
        "freezes",
        {"freezes": Freezes()},
        ("PASS", "hold", "frozen"),
        "every criterion passes, but frozen until lifted by peak (season)",
    ),
    ("nothing", {}, ("PASS", "promote", None), "every criterion passes"),
]


@pytest.mark.parametrize("step", range(len(RIGHT)), ids=[one[0] for one in RIGHT])
def test_one_thing_after_another_is_put_right(step: int) -> None:
    """What comes first speaks, though all that comes after it is wrong as well."""
    circumstances = dict(WRONG)
    for _, mended, _, _ in RIGHT[:step]:
        circumstances |= mended
    _, _, expected, reason = RIGHT[step]
    look = assess(world(**circumstances))
    assert (look.verdict, look.action, look.hold) == expected
    assert look.reason.startswith(reason)
