"""What is true of all kinds; each has a file of its own in criteria/."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from controlplane.criteria.bake_time import BakeTime
from controlplane.criteria.catalog import KINDS, AnyCriterion
from controlplane.criteria.exposure_matches import ExposureMatches
from controlplane.criteria.sustained import Sustained
from controlplane.criteria.verdict import WORST_FIRST, ClaimModel, Judge, worst
from events.timestamps import DAY, HOUR
from projections.arms import Split
from projections.waves import WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, in_windows, judge, seen, wave

ANY = TypeAdapter[Any](AnyCriterion)
EXAMPLES: list[dict[str, Any]] = [
    {"kind": "zero_events"},
    {"kind": "rate_below", "bound": 0.05},
    {"kind": "rate_below", "bound": 0.05, "unit": "batch"},
    {"kind": "quantile_below", "threshold": "500ms"},
    {"kind": "not_worse_than", "margin": 0.02},
    {"kind": "not_worse_than", "margin": 0.02, "baseline": "previous_wave"},
    {"kind": "trend_down", "measure": "slow_share", "threshold": "500ms"},
    {"kind": "trend_down", "or_not_worse_by": None},
    {"kind": "stable", "delta": 0.02},
    {"kind": "stable", "delta": 0.02, "or_improving": False},
    {"kind": "sustained", "duration": "14d"},
    {"kind": "exposure_matches"},
    {"kind": "manual", "role": "product manager"},
    {"kind": "external", "url": "https://ci.example.com/"},
]
CRITERIA = [ANY.validate_python(example) for example in EXAMPLES]
each = pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.kind)


def test_there_is_an_example_of_every_kind_in_the_catalog() -> None:
    assert {one.kind for one in CRITERIA} == set(KINDS) == {example["kind"] for example in EXAMPLES}
    assert set(KINDS.values()) == set(get_args(get_args(AnyCriterion)[0]))
    assert BakeTime not in KINDS.values()


@each
def test_a_criterion_survives_being_written_down(criterion: Any) -> None:
    assert ANY.validate_python(criterion.model_dump(mode="json")) == criterion
    assert ANY.validate_json(criterion.model_dump_json()) == criterion


@each
def test_every_kind_has_a_name_and_a_consequence_and_keeps_them_when_scaled(
    criterion: Judge,
) -> None:
    assert criterion.name
    assert criterion.on_fail in ("rollback", "hold")
    scaled: Any = criterion.scaled(0.5)  # type: ignore[attr-defined]  # why: of the model
    assert (scaled == criterion) == (not isinstance(criterion, Sustained))
    assert (scaled.name, scaled.on_fail) == (criterion.name, criterion.on_fail)


@pytest.mark.parametrize("wrong", [{"kind": "bake_time"}, {"kind": "luck"}, {"bound": 0.1}])
def test_other_kinds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="kind"):
        ANY.validate_python(wrong)


@each
def test_unknown_parameters_are_refused(criterion: Any) -> None:
    with pytest.raises(ValueError, match="extra_forbidden"):
        ANY.validate_python({**criterion.model_dump(mode="json"), "allow": "everything"})


@each
@pytest.mark.parametrize("after", [0, HOUR, HOLD, 3 * DAY, 30 * DAY])
def test_no_data_is_never_a_pass_however_long_one_waits(criterion: Judge, after: int) -> None:
    for planned in (0.0, 10.0, 100.0):
        evidence = wave(control=arm(9), others=arm(9), planned=planned)
        assert judge(criterion, evidence, after=after).verdict in ("NO_DATA", "INCONCLUSIVE")


evidences = st.builds(
    lambda bad, of, control, others, after: (
        wave(
            **in_windows([min(one, of) for one in bad], of=of),
            lasted_us=after,
            control=arm(*control),
            others=arm(*others),
            split=Split(of, 10 * of),
        ),
        after,
    ),
    st.lists(st.integers(0, 60), max_size=10),
    st.integers(1, 60),
    st.tuples(st.integers(30, 300), st.integers(0, 30)),
    st.tuples(st.integers(30, 300), st.integers(0, 30)),
    st.integers(0, 3 * HOLD),
)


@settings(max_examples=60, deadline=None)
@given(evidences, st.sampled_from(CRITERIA))
def test_a_judgement_says_what_it_rests_on(one: tuple[WaveEvidence, int], criterion: Judge) -> None:
    evidence, after = one
    before = wave(arm(200, 4), wave=1)
    judgement = criterion.judge(seen(evidence, after=after, previous=before))
    assert judgement == criterion.judge(seen(evidence, after=after, previous=before))
    assert judgement.sentence
    assert (judgement.progress == 1.0) == (judgement.verdict == "PASS")
    assert 0 <= judgement.progress <= 1
    if judgement.verdict == "PASS" and not isinstance(criterion, ExposureMatches):
        assert evidence.executions
    if isinstance(criterion, ClaimModel) and judgement.verdict in ("PASS", "FAIL"):
        assert judgement.numbers.get("n_all", judgement.numbers["n"])


def test_one_verdict_of_many_is_the_worst() -> None:
    assert WORST_FIRST == ("FAIL", "ERROR", "NO_DATA", "INCONCLUSIVE", "PASS")
    for rank, verdict in enumerate(WORST_FIRST):
        assert worst(reversed(WORST_FIRST[rank:])) == verdict


def test_nothing_to_judge_is_no_data() -> None:
    assert worst([]) == "NO_DATA"
