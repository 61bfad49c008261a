import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controlplane import plans
from controlplane.criteria.quantile_below import QuantileBelow
from controlplane.criteria.rate_below import RateBelow
from controlplane.criteria.sustained import Sustained
from controlplane.criteria.zero_events import ZeroEvents
from controlplane.errors import InvalidInput
from controlplane.plans import FOUR_WAVES, Plan, Soak
from events import EVERYONE, Audience, Condition
from events.timestamps import DAY, HOUR
from tests.controlplane.samples import BETA, GUARD, plan, plan_data

BUILT_IN_DIGEST = "2fa8a62affbf242baded73f525b08753a893de8c6ff69ca75fb4ae558d78b8ed"

# The built-in plan


def test_the_built_in_plan_goes_in_four_waves() -> None:
    internal = Audience("internal", (Condition("group", "equals", "internal"),))
    beta = Audience("beta", (Condition("group", "equals", "beta"),))
    assert [
        (wave.percentage, wave.audience.to_audience(), wave.hold) for wave in FOUR_WAVES.waves
    ] == [
        (10, internal, 24 * HOUR),
        (25, beta, 48 * HOUR),
        (50, EVERYONE, 48 * HOUR),
        (100, EVERYONE, 48 * HOUR),
    ]


def test_then_it_stays_stable_for_fourteen_days() -> None:
    assert FOUR_WAVES.soak is not None
    assert FOUR_WAVES.soak.hold == 14 * DAY


ALERTS = ZeroEvents(name="critical_alerts")
ERRORS = RateBelow(name="error_rate", bound=0.05)
LATENCY = QuantileBelow(name="p95_latency", quantile=0.95, threshold="500ms")
SHOWN = [
    [],
    ["error_trend"],
    ["error_trend", "stable_errors", "stable_latency"],
    ["error_trend", "stable_errors", "stable_latency"],
    ["stable_days"],
]


@pytest.mark.parametrize("stage", range(1, 6))
def test_every_stage_must_show_the_same_three_things_and_some_more(stage: int) -> None:
    first, second, third, *more = FOUR_WAVES.stage(stage).criteria
    assert (first, second, third) == (ALERTS, ERRORS, LATENCY)
    assert {one.on_fail for one in (first, second, third)} == {"rollback"}
    assert [one.name for one in more] == SHOWN[stage - 1]
    assert {one.on_fail for one in more} <= {"hold"}


def test_the_built_in_plan_asks_one_person_and_reminds_of_checklists() -> None:
    assert (FOUR_WAVES.start.needed, FOUR_WAVES.promotion.needed) == (0, 1)
    assert [item.name for item in FOUR_WAVES.before_start] == [
        *("code", "infrastructure", "team", "stakeholders"),
    ]
    assert {item.area for item in FOUR_WAVES.before_completion} == {"follow-up", "sign-off"}
    assert not any(item.required for item in FOUR_WAVES.items())


def test_the_built_in_plan_does_not_change_unnoticed() -> None:
    """Rollouts are bound to this hash: whoever changes the plan changes it here as well."""
    assert FOUR_WAVES.digest() == BUILT_IN_DIGEST


# Stages


def test_waves_are_followed_by_the_next_then_the_soak_then_the_end() -> None:
    assert [plan().after(wave) for wave in (1, 2, 3)] == ["wave 2", "soak", "completed"]
    assert plan(soak=None).after(2) == "completed"
    assert isinstance(plan().stage(3), Soak)


def test_a_plan_without_a_soak_has_no_stage_after_its_waves() -> None:
    with pytest.raises(InvalidInput, match="has no stage 3"):
        plan(soak=None).stage(3)


# Checking


def change(path: str, value: Any) -> dict[str, Any]:
    """The sample plan with one field changed: `waves.0.hold`."""
    data = json.loads(json.dumps(plan_data()))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for parent in parents:
        place = place[parent]
    place[last] = value
    return data


CRITERION = "waves.1.criteria.1"
OTHER_BETA = {
    "name": "beta",
    "conditions": [{"attribute": "group", "operator": "equals", "value": "b2"}],
}
VALUE = "waves.0.audience.conditions.0.value"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "", "name"),
        ("waves", [], "waves"),
        ("typo", 1, "typo"),
        ("waves.0.typo", 1, r"waves\.0\.typo"),
        ("waves.0.name", "", r"waves\.0\.name"),
        ("waves.0.percentage", 0, r"waves\.0\.percentage"),
        ("waves.0.percentage", 101, r"waves\.0\.percentage"),
        ("waves.0.percentage", float("nan"), r"waves\.0\.percentage"),
        ("waves.0.percentage", 0.0001, r"waves\.0: .*steps of 0\.001"),
        ("waves.0.hold", 60, r"waves\.0\.hold: .*is no duration"),
        ("waves.0.hold", "0s", r"waves\.0\.hold"),
        ("waves.0.hold", "9" * 400 + "d", r"waves\.0\.hold: .*longer than"),
        ("waves.0.criteria", [], r"waves\.0\.criteria"),
        ("waves.0.criteria", [GUARD, GUARD], r"waves\.0: .*names that differ"),
        ("waves.0.criteria", [{**GUARD, "name": "bake_time"}], r"waves\.0: .*names that differ"),
        (VALUE, float("inf"), r"waves\.0: .*finite numbers"),
        ("waves.0.audience.name", "everyone", r"waves\.0: .*everyone has no conditions"),
        (f"{CRITERION}.kind", "magic", r"waves\.1\.criteria\.1"),
        (f"{CRITERION}.bound", 0, r"waves\.1\.criteria\.1\.rate_below\.bound"),
        (f"{CRITERION}.bound", 1, r"waves\.1\.criteria\.1\.rate_below\.bound"),
        (f"{CRITERION}.alpha_pass", 0, r"waves\.1\.criteria\.1\.rate_below\.alpha_pass"),
        (f"{CRITERION}.on_fail", "shrug", r"waves\.1\.criteria\.1\.rate_below\.on_fail"),
        ("waves.1.criteria.2.quantile", 1, r"waves\.1\.criteria\.2\.quantile_below\.quantile"),
        ("soak.hold", "soon", r"soak\.hold"),
        ("max_silence", "0s", "max_silence"),
        ("proposal_expires_after", "-1h", "proposal_expires_after"),
        ("propose_again_after", "24h", "propose_again_after: there is no such field; there are "),
        ("waves.1.audience", OTHER_BETA, "plan: .*audience beta has other conditions in wave 2"),
        ("proposal_expires_after", "59s", "proposal_expires_after"),
        (f"{CRITERION}.alpha_pass", 0.21, r"waves\.1\.criteria\.1\.rate_below\.alpha_pass"),
        (f"{CRITERION}.alpha_fail", 0.21, r"waves\.1\.criteria\.1\.rate_below\.alpha_fail"),
        (f"{CRITERION}.name", "", r"waves\.1\.criteria\.1\.rate_below\.name"),
        (f"{CRITERION}.name", "n" * 101, r"waves\.1\.criteria\.1\.rate_below\.name"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(field: str, value: Any, named: str) -> None:
    with pytest.raises(InvalidInput, match=f"the plan is not valid: (.*; )?{named}"):
        plans.parse(change(field, value))


def test_two_waves_may_serve_one_audience() -> None:
    both = plans.parse(change("waves.1.audience", BETA))
    assert {wave.audience.to_audience() for wave in both.waves} == {
        Audience("beta", (Condition("group", "equals", "beta"),))
    }


@pytest.mark.parametrize("data", [None, [], "plan", 5])
def test_what_is_no_mapping_is_no_plan(data: Any) -> None:
    with pytest.raises(InvalidInput, match="the plan is not valid: plan: "):
        plans.parse(data)


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"waves\.0\.hold: .*; soak\.hold: "):
        plans.parse({**change("waves.0.hold", "x"), "soak": {**plan_data()["soak"], "hold": "y"}})


# Time


def timeless(stage: Any) -> Any:
    """The stage without what is a matter of time."""
    criteria = [
        {name: value for name, value in criterion.model_dump().items() if name != "duration"}
        for criterion in stage.criteria
    ]
    return stage.model_dump(exclude={"hold", "max_wait", "criteria"}), criteria


@pytest.mark.parametrize("factor", [1 / 3600, 0.5, 2, 1e-12])
def test_scaled_a_plan_changes_its_times_and_nothing_that_must_be_shown(factor: float) -> None:
    patient = FOUR_WAVES.model_copy(
        update={"waves": tuple(w.model_copy(update={"max_wait": DAY}) for w in FOUR_WAVES.waves)}
    )
    scaled = patient.scaled(factor)
    stages, originals = [*scaled.waves, scaled.soak], [*patient.waves, patient.soak]
    for stage, original in zip(stages, originals, strict=True):
        assert stage is not None
        assert original is not None
        assert stage.hold == max(1, round(original.hold * factor))
        assert timeless(stage) == timeless(original)
    assert {wave.max_wait for wave in scaled.waves} == {max(1, round(DAY * factor))}
    assert scaled.window == max(1, round(patient.window * factor))
    restored = {"waves": patient.waves, "soak": patient.soak, "window": patient.window}
    assert scaled.model_copy(update=restored) == patient


def test_scaled_it_is_sustained_for_as_much_longer() -> None:
    soak = FOUR_WAVES.scaled(0.5).soak
    assert soak is not None
    assert isinstance(soak.criteria[-1], Sustained)
    assert soak.criteria[-1].duration == 7 * DAY


@given(st.floats(1e-6, 10))
def test_scaled_a_plan_is_still_one_that_can_be_kept(factor: float) -> None:
    scaled = FOUR_WAVES.scaled(factor)
    assert plans.recorded(scaled.to_json()) == scaled


def test_a_plan_without_a_soak_can_be_scaled() -> None:
    assert [wave.hold for wave in plan(soak=None).scaled(0.5).waves] == [HOUR // 2, HOUR]


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf")])
def test_time_does_not_stand_still_or_go_back(factor: float) -> None:
    with pytest.raises(InvalidInput, match="positive number"):
        FOUR_WAVES.scaled(factor)


# Keeping


@pytest.mark.parametrize("original", [FOUR_WAVES, plan(), plan(soak=None)])
def test_a_plan_that_an_event_kept_is_the_plan(original: Plan) -> None:
    kept = json.loads(json.dumps(original.to_json()))
    assert plans.recorded(kept) == original
    assert plans.parse(kept).digest() == original.digest()


def shuffled(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        keys = data.draw(st.permutations(sorted(value)))
        return {key: shuffled(value[key], data) for key in keys}
    return [shuffled(one, data) for one in value] if isinstance(value, list) else value


@given(st.data())
def test_the_digest_does_not_depend_on_the_order_of_keys(data: st.DataObject) -> None:
    assert plans.parse(shuffled(plan_data(), data)).digest() == plan().digest()


def test_the_digest_depends_on_every_number() -> None:
    digests = {
        plans.parse(change(field, value)).digest()
        for field, value in [
            ("name", "two waves"),
            ("waves.0.percentage", 11),
            ("waves.1.hold", "3h"),
            (f"{CRITERION}.bound", 0.06),
            (VALUE, "b2"),
        ]
    }
    assert len(digests) == 5
    assert plan().digest() in digests


# Files


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_a_plan_is_read_from_json_and_from_yaml(write: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_text(write(plan_data()), encoding="utf-8")
    assert plans.read(path) == plan()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name: [", "neither YAML nor JSON"),
        (b"{'a': 1", "neither YAML nor JSON"),
        (b"name: 2026-02-30", "neither YAML nor JSON: day is out of range"),
        (b"\xff\xfe\xff", "cannot read plan"),
        (b"", "the plan is not valid"),
        (b"!!python/object:os.system {}", "neither YAML nor JSON"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=reason):
        plans.read(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read plan .*missing\.yaml"):
        plans.read(tmp_path / "missing.yaml")
