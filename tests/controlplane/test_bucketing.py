import math
from collections import Counter
from typing import Any
from uuid import UUID

import mmh3
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.bucketing import (
    ALGORITHM,
    BUCKETS,
    bucket,
    compile_flag,
    explain,
    threshold,
)
from controlplane.errors import InvalidInput
from events import EVERYONE
from projections.flags import FLAGS, Exposure, Flag
from tests.projections.flag_events import BETA, archived, created, disabled, enabled, exposed
from tests.projections.histories import about_flags, audiences
from tests.projections.recording import told

units = st.text(st.characters(), max_size=20)  # lone surrogates, too
permille = st.integers(0, 100_000).map(lambda thousandths: thousandths / 1000)
exposures = st.lists(st.builds(Exposure, audiences, permille), max_size=4).map(tuple)
attributes = st.dictionaries(
    st.sampled_from(["group", "country"]),
    st.sampled_from(["beta", "b2", "internal", 1, None, True]),
    max_size=2,
)


def serving(*exposed: Exposure) -> Flag:
    return Flag("checkout", exists=True, salt="checkout", enabled=True, exposures=exposed)


def is_in(flag: Flag, unit: str, about: Any = None) -> bool:
    return compile_flag(flag)(unit, about or {})


# The algorithm


@pytest.mark.parametrize(
    ("salt", "unit", "place"),
    [
        ("checkout", "unit-1", 6_610),
        ("checkout", "unit-2", 69_280),
        ("batch-patches-v1", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", 50_797),
        ("s", "", 24_372),
        ("", "ünït \U0001f600", 22_817),
    ],
)
def test_a_unit_has_its_place_for_good(salt: str, unit: str, place: int) -> None:
    """Change one of these and users in the middle of a rollout change sides."""
    assert bucket(salt, unit) == place


def test_the_algorithm_has_the_name_that_flags_keep() -> None:
    assert ALGORITHM == created.algorithm == "murmur3-32/multiply-shift-100000"


@given(units, units)
def test_every_unit_has_a_place(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < BUCKETS


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_place_is_the_murmur_hash_of_the_text_scaled_to_the_buckets(
    salt: str, unit: str
) -> None:
    assert bucket(salt, unit) == mmh3.hash(f"{salt}:{unit}", signed=False) * BUCKETS >> 32


@pytest.mark.parametrize("unit", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_a_lone_surrogate_is_a_unit_like_any_other(unit: str) -> None:
    for flag in (serving(Exposure(EVERYONE, 50)), serving(Exposure(BETA, 50))):
        inside = is_in(flag, unit, {"group": "beta"})
        assert inside == (bucket("checkout", unit) < 50_000)
        assert inside == explain(flag, unit, {"group": "beta"}).enabled


@pytest.mark.parametrize("unit", [7, None, 1.5, True, b"raw", UUID(int=7), ("a", 1)])
def test_what_is_no_text_has_the_place_of_its_text(unit: Any) -> None:
    assert bucket("checkout", unit) == bucket("checkout", str(unit))
    for flag in (serving(Exposure(EVERYONE, 50)), serving(Exposure(BETA, 50))):
        assert is_in(flag, unit, {"group": "beta"}) == is_in(flag, str(unit), {"group": "beta"})


@pytest.mark.parametrize("salt", ["checkout", "another-flag"])
def test_units_spread_evenly(salt: str) -> None:
    places = Counter(bucket(salt, f"user-{n}") // 1000 for n in range(200_000))
    assert len(places) == 100
    assert scipy.stats.chisquare(list(places.values())).pvalue > 0.001


def test_flags_choose_independently_of_each_other() -> None:
    both = sum(
        bucket("one", f"user-{n}") < 10_000 and bucket("other", f"user-{n}") < 10_000
        for n in range(200_000)
    )
    assert scipy.stats.binomtest(both, 200_000, 0.01).pvalue > 0.001


# Percentages


@given(st.integers(0, 100_000))
def test_a_percentage_in_steps_of_a_thousandth_covers_so_many_buckets(thousandths: int) -> None:
    assert threshold(thousandths / 1000) == thousandths
    assert threshold(round(thousandths * 0.001, 3)) == thousandths


@given(st.integers(0, 99_999), st.floats(0.00001, 0.00099))
def test_finer_steps_are_refused(thousandths: int, more: float) -> None:
    with pytest.raises(InvalidInput, match=r"steps of 0\.001"):
        threshold(thousandths / 1000 + more)


@pytest.mark.parametrize(
    "value",
    [*(True, False, math.nan, math.inf, -math.inf, -0.001, 100.001, "10", None, 10**400)],
)
def test_what_is_no_percentage_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="a percentage"):
        threshold(value)


# Who is in


@given(units, permille, permille)
def test_raising_a_percentage_takes_nobody_out(unit: str, one: float, other: float) -> None:
    lower, higher = sorted((one, other))
    assert is_in(serving(Exposure(EVERYONE, lower)), unit) <= is_in(
        serving(Exposure(EVERYONE, higher)), unit
    )


@given(units, attributes, exposures.filter(len), permille, st.data())
def test_raising_the_percentage_of_an_audience_takes_nobody_out_lowering_lets_nobody_in(
    unit: str, about: Any, served: Any, percentage: float, data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, len(served) - 1))
    moved = Exposure(served[which].audience, percentage)
    before = is_in(serving(*served), unit, about)
    after = is_in(serving(*served[:which], moved, *served[which + 1 :]), unit, about)
    assert before <= after if percentage >= served[which].percentage else before >= after


def test_at_no_percent_nobody_is_in_and_at_a_hundred_everybody() -> None:
    for unit in map(str, range(1000)):
        assert not is_in(serving(Exposure(EVERYONE, 0)), unit)
        assert is_in(serving(Exposure(EVERYONE, 100)), unit)


def test_the_last_bucket_is_in_only_at_a_hundred() -> None:
    last = next(unit for unit in map(str, range(10**6)) if bucket("checkout", unit) == 99_999)
    assert not is_in(serving(Exposure(EVERYONE, 99.999)), last)
    assert is_in(serving(Exposure(EVERYONE, 100)), last)


# Why


@given(exposures, units, attributes)
def test_the_explanation_gives_the_answer_of_the_compiled_flag(
    served: tuple[Exposure, ...], unit: str, about: Any
) -> None:
    assert explain(serving(*served), unit, about).enabled == is_in(serving(*served), unit, about)


@given(st.lists(about_flags, max_size=8), units, attributes)
def test_whatever_happened_to_a_flag_explanation_and_answer_agree(
    history: list[Any], unit: str, about: Any
) -> None:
    flag = FLAGS.fold("checkout", told(created, *history))
    assert explain(flag, unit, about).enabled == is_in(flag, unit, about)


def test_archived_a_flag_is_off_though_something_switched_it_on() -> None:
    flag = FLAGS.fold("checkout", told(created, archived, enabled, exposed(100)))
    assert not is_in(flag, "unit-1")
    assert not explain(flag, "unit-1").enabled


@pytest.mark.parametrize(
    ("history", "about", "reason", "sentence"),
    [
        ([], {}, "FLAG_NOT_FOUND", "there is no flag checkout"),
        ([created], {}, "DISABLED", "the flag is disabled"),
        ([created, enabled, exposed(5), disabled], {}, "DISABLED", "the flag is disabled"),
        ([created, enabled, exposed(5), archived], {}, "ARCHIVED", "the flag is archived"),
        ([created, enabled], {}, "NO_AUDIENCE", "in no audience that is served (none)"),
        ([created, enabled, exposed(5, BETA)], {}, "NO_AUDIENCE", "served (beta)"),
        ([created, enabled, exposed(100)], {}, "SPLIT", "PLACE < 100000 (100 % of everyone)"),
        (
            [created, enabled, exposed(0.001), exposed(0.002, BETA)],
            {"group": "beta"},
            "SPLIT",
            "PLACE >= 2 (0.002 % of beta)",
        ),
    ],
)
def test_the_reason_and_its_sentence_carry_the_numbers(
    history: list[Any], about: Any, reason: str, sentence: str
) -> None:
    answer = explain(FLAGS.fold("checkout", told(*history)), "unit-1", about)
    assert answer.reason == reason
    assert sentence.replace("PLACE", str(bucket("checkout", "unit-1"))) in answer.sentence
    assert answer.position == len(history)
