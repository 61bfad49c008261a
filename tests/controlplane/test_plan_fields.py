"""What a plan may say beyond its waves: who agrees, checklists, freezes, times; and its schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane import plans, strict_yaml
from controlplane.criteria.catalog import KINDS
from controlplane.errors import InvalidInput
from controlplane.plan_schema import json_schema
from controlplane.plans import BUILT_IN, FOUR_WAVES
from events.timestamps import DAY, HOUR, MINUTE, SECOND
from tests.controlplane.json_schema import UNKNOWN, accepts
from tests.controlplane.samples import GUARD, plan, plan_data

ITEM = {"name": "code", "area": "code"}
WINDOW = {"name": "peak", "starts": "2026-11-27T16:00", "duration": "3d"}
SAMPLES: dict[str, dict[str, Any]] = {
    "zero_events": {},
    "rate_below": {"bound": 0.05, "unit": "batch"},
    "quantile_below": {"threshold": "500ms"},
    "not_worse_than": {"measure": "error_rate", "margin": 0.01},
    "trend_down": {},
    "stable": {"measure": "error_rate", "delta": 0.01},
    "sustained": {"duration": "3h"},
    "exposure_matches": {},
    "manual": {"role": "lead", "approvals": 2, "text": "It looks right"},
    "external": {"url": "https://ci.example/load?a=b", "timeout": "5s"},
}


def of_kind(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **SAMPLES[kind], **fields}


def change(path: str, value: Any) -> dict[str, Any]:
    """The sample plan with one field changed, or new: `waves.0.hold`."""
    data: dict[str, Any] = json.loads(json.dumps(plan_data()))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = data
    for parent in parents:
        place = place.setdefault(parent, {}) if isinstance(place, dict) else place[parent]
    place[last] = value
    return data


# What may be left out


def test_what_is_left_out_has_its_usual_value() -> None:
    usual = plan()
    assert (usual.start.needed, usual.promotion.needed, usual.version) == (0, 1, "1")
    assert (usual.window, usual.settle, usual.confirm_within) == (
        6 * HOUR,
        30 * SECOND,
        30 * MINUTE,
    )
    assert (usual.max_silence, usual.proposal_expires_after) == (15 * MINUTE, DAY)
    assert (usual.before_start, usual.before_completion, usual.freezes) == ((), (), ())
    assert {(w.max_wait, w.on_timeout, w.requires) for w in usual.waves} == {(None, "escalate", ())}


# What is wrong


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("version", "", r"version: .*at least 1 character"),
        ("schema_version", 2, r"schema_version: .*1"),
        ("window", "0s", r"window: .*greater than 0"),
        ("window", "1s", r"plan: window 1s is too narrow: 3h would have more than 300 of them"),
        ("settle", "0s", r"settle: .*greater than 0"),
        ("confirm_within", "0s", r"confirm_within: .*greater than 0"),
        ("start.needed", -1, r"start\.needed: .*greater than or equal to 0"),
        ("start.needed", 21, r"start\.needed: .*less than or equal to 20"),
        ("start", {"needed": 2, "of": ["bob"]}, r"start: 2 must approve, but only 1 may"),
        ("promotion.needed", 0, r"plan: promotion\.needed starts at 1"),
        ("promotion.who", ["bob"], r"promotion\.who: there is no such field; there are "),
        ("waves.0.max_wait", "0s", r"waves\.0\.max_wait: .*greater than 0"),
        ("waves.0.on_timeout", "pass", r"waves\.0\.on_timeout: .*'escalate' or 'rollback'"),
        ("waves.0.requires", [{**ITEM, "area": "cake"}], r"waves\.0\.requires\.0\.area: .*'code'"),
        ("waves.0.requires", [{**ITEM, "approvals": 0}], r"waves\.0\.requires\.0\.approvals: "),
        ("waves.0.requires", [ITEM] * 51, r"waves\.0\.requires: .*at most 50"),
        ("before_start", [ITEM, ITEM], r"plan: items of checklists .*need names that differ"),
        ("before_start", [{"name": "code"}], r"before_start\.0\.area: Field required"),
        ("before_completion", [{**ITEM, "text": "x" * 2001}], r"before_completion\.0\.text: "),
        ("freezes", [{**WINDOW, "rrule": "FREQ=NEVER"}], r"freezes\.0: rrule FREQ=NEVER"),
        ("freezes", [{**WINDOW, "timezone": "Mars"}], r"freezes\.0: there is no time zone 'Mars'"),
        ("freezes", [{**WINDOW, "duration": "0s"}], r"freezes\.0\.duration: .*greater than 0"),
        ("waves.0.on_timeout", "rollback", r"waves\.0: on_timeout: rollback needs max_wait"),
        ("waves.1.name", "wave 1", r"plan: waves need names that differ"),
        (
            "soak.criteria",
            [{**GUARD, "on_fail": "warn"}],
            r"soak: every criterion only warns: time alone would pass it",
        ),
        ("waves.1.percentage", 100, None),
        ("waves.1.audience", {"name": "everyone"}, None),
    ],
)
def test_what_is_wrong_is_said_so_that_it_can_be_mended(
    field: str, value: Any, said: str | None
) -> None:
    if said is None:
        assert plans.parse(change(field, value))
        return
    with pytest.raises(InvalidInput, match=f"the plan is not valid: (.*; )?{said}"):
        plans.parse(change(field, value))


@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("quantile_below", {"threshold": "0s"}, "threshold: .*greater than 0"),
        ("not_worse_than", {"margin": 0}, "margin: .*greater than 0"),
        ("not_worse_than", {"baseline": "yesterday"}, "baseline: .*'control'"),
        ("trend_down", {"looks": 4}, "looks: .*less than or equal to 3"),
        ("trend_down", {"min_windows": 7}, "min_windows: .*greater than or equal to 8"),
        ("stable", {"delta": 1}, "delta: .*less than 1"),
        ("sustained", {"duration": "soon"}, "duration: .*is no duration"),
        ("exposure_matches", {"min_units": 0}, "min_units: "),
        ("manual", {"approvals": 0}, "approvals: "),
        ("external", {"url": "ftp://x"}, "url: .*is no URL"),
        ("external", {"url": "https://a:b@x/"}, "url: a URL with a name or password"),
        ("external", {"timeout": "2m"}, "timeout: .*less than or equal to"),
    ],
)
def test_what_is_wrong_with_a_criterion_is_said_by_its_field(
    kind: str, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"waves\.1\.criteria\.0\.{kind}\.{said}"):
        plans.parse(change("waves.1.criteria", [of_kind(kind, **fields)]))


def test_two_spellings_of_a_person_are_not_two() -> None:
    with pytest.raises(InvalidInput, match="2 must approve, but only 1 may"):
        plan(promotion={"needed": 2, "of": ["bob", "BOB "]})


def test_where_everybody_has_the_new_code_there_is_no_control() -> None:
    compared = change("waves.1.criteria", [of_kind("not_worse_than")])
    assert plans.parse(compared)
    compared["waves"][1]["percentage"] = 100
    with pytest.raises(InvalidInput, match="stage 2: not_worse needs a control, and at 100 %"):
        plans.parse(compared)


def test_nor_is_there_one_in_a_soak_at_100_percent() -> None:
    compared = change("soak.criteria", [of_kind("not_worse_than")])
    compared["waves"][1]["percentage"] = 100
    with pytest.raises(InvalidInput, match="control"):
        plans.parse(compared)


def test_before_the_first_wave_there_is_none_to_compare_with() -> None:
    with pytest.raises(InvalidInput, match="before the first there is none"):
        plans.parse(
            change("waves.0.criteria", [of_kind("not_worse_than", baseline="previous_wave")])
        )


def test_an_item_and_a_manual_criterion_have_names_that_differ() -> None:
    data = change("waves.0.criteria", [of_kind("manual", name="code")])
    with pytest.raises(InvalidInput, match="names that differ"):
        plans.parse(data | {"before_start": [ITEM]})


# What is asked when


def test_what_must_be_signed_is_asked_before_what_follows() -> None:
    data = plan_data([GUARD])
    for number, stage in enumerate([*data["waves"], data["soak"]]):
        stage["requires"] = [ITEM | {"name": f"for {number}"}]
    ends = {"before_start": [ITEM], "before_completion": [ITEM | {"name": "end"}]}
    full = plans.parse(data | ends)
    asked = [[item.name for item in full.required_after(wave)] for wave in range(4)]
    assert asked == [["code", "for 0"], ["for 1"], ["for 2"], ["end"]]
    assert [item.name for item in full.items()] == ["code", "for 0", "for 1", "for 2", "end"]
    short = plans.parse({**data, **ends, "soak": None})
    assert [item.name for item in short.required_after(2)] == ["end"]


# The digest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", "2"),
        ("start.needed", 1),
        ("promotion.needed", 2),
        ("promotion.of", ["bob"]),
        ("window", "5h"),
        ("settle", "31s"),
        ("confirm_within", "31m"),
        ("max_silence", "16m"),
        ("proposal_expires_after", "25h"),
        ("before_start", [ITEM]),
        ("before_completion", [ITEM]),
        ("waves.0.requires", [ITEM]),
        ("waves.0.max_wait", "1h"),
        ("waves.0.name", "first"),
        ("waves.0.criteria.0.on_fail", "hold"),
        ("freezes", [WINDOW]),
        ("soak", None),
    ],
)
def test_whatever_is_changed_changes_the_digest(field: str, value: Any) -> None:
    assert plans.parse(change(field, value)).digest() != plan().digest()


@pytest.mark.parametrize("value", ["24h", "1440m", "86400s", "1d"])
def test_what_is_written_otherwise_and_is_the_same_has_the_same_digest(value: str) -> None:
    assert plans.parse(change("proposal_expires_after", value)).digest() == plan().digest()


# Every kind of criterion


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_with_a_criterion_of_any_kind_is_kept_as_it_is(kind: str) -> None:
    original = plan([of_kind(kind)])
    assert plans.recorded(json.loads(json.dumps(original.to_json()))) == original
    assert original.waves[0].criteria[0].on_fail == ("rollback" if kind in GUARDS else "hold")


GUARDS = {"zero_events", "rate_below", "quantile_below"}


# The schema

EXAMPLES = Path(__file__).parents[2] / "examples" / "plans"
SCHEMA = json_schema()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_accepts_the_example_plans(path: Path) -> None:
    assert accepts(SCHEMA, strict_yaml.load(path.read_text(encoding="utf-8")))


def test_the_schema_accepts_the_built_in_plan_as_it_is_written_and_as_it_is_kept() -> None:
    assert accepts(SCHEMA, strict_yaml.load(BUILT_IN))
    assert accepts(SCHEMA, FOUR_WAVES.to_json())


def words(part: Any, *, named: bool = False) -> set[str]:
    """Every keyword that a schema uses; names of fields and of definitions are none."""
    if isinstance(part, list):
        return set().union(*map(words, part))
    if not isinstance(part, dict):
        return set()
    found = set() if named else set(part)
    for word, inner in part.items():
        if named or word not in ("default", "examples", "const", "enum", "required"):
            found |= words(inner, named=not named and word in ("properties", "$defs"))
    return found


def test_the_schema_uses_keywords_of_the_standard_only() -> None:
    assert words(SCHEMA) & UNKNOWN <= {"discriminator"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_knows_every_kind_of_criterion(kind: str) -> None:
    assert accepts(SCHEMA, plan([of_kind(kind)]).to_json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("typo", 1),
        ("name", ""),
        ("waves", []),
        ("waves.0.hold", 60),
        ("waves.0.hold", "60"),
        ("waves.0.percentage", 101),
        ("waves.0.on_timeout", "pass"),
        ("waves.0.criteria.1.kind", "magic"),
        ("waves.0.criteria.1", {"bound": 0.05}),
        ("waves.0.criteria.1.bound", 1),
        ("waves.0.audience.conditions.0.operator", "is"),
        ("promotion.needed", 21),
        ("before_start", [{"name": "code"}]),
        ("freezes", [{"name": "peak"}]),
    ],
)
def test_the_schema_refuses_what_the_plan_does(field: str, value: Any) -> None:
    data = change(field, value)
    with pytest.raises(InvalidInput):
        plans.parse(data)
    assert not accepts(SCHEMA, data)
