"""Plans that differ in who must agree, what must be shown, and what happens in time."""

from tests.controlplane.samples import plan, plan_data

GUARD = {"kind": "rate_below", "bound": 0.3}
HOLDING = {**GUARD, "on_fail": "hold", "detect_turns": False}  # What failed may pass again.
OUTSIDE = {"kind": "external", "url": "https://ci.example/"}
ITEMS = plan_data([GUARD])["waves"]
ITEMS[1]["requires"] = [{"name": "code", "area": "code", "approvals": 2}]
HASTY = plan_data([GUARD, {"kind": "zero_events", "on_fail": "warn"}])["waves"]
HASTY[0] |= {"max_wait": "2h"}
HASTY[1] |= {"max_wait": "2h", "on_timeout": "rollback"}
RUSH = {"name": "rush", "starts": "2027-01-15T12:00", "duration": "2h"}
PLANS = [
    plan([GUARD]),
    plan([HOLDING], soak=None, promotion={"needed": 2}),
    plan([GUARD, OUTSIDE], start={"needed": 2}, promotion={"needed": 2, "of": ["bob", "carol"]}),
    plan([GUARD], waves=ITEMS, freezes=[RUSH], before_start=[{"name": "team", "area": "team"}]),
    plan([HOLDING, {"kind": "manual"}], waves=HASTY, soak=None),
]
CAREFUL = PLANS[2].model_copy(update={"version": "2"})
