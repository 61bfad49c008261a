"""Which variant a unit gets: by weight, whatever the percentage, and for good."""

from collections import Counter

import mmh3
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from controlplane.bucketing import bucket, cut, draw, drawn, explain
from events import EVERYONE
from projections.flags import Exposure, Flag
from tests.projections.flag_events import weighing

units = st.text(st.characters(), max_size=20)  # lone surrogates, too
permille = st.integers(0, 100_000).map(lambda thousandths: thousandths / 1000)
weights = st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any)
large = st.lists(st.integers(0, 2**28), min_size=1, max_size=5).filter(any)
CROWD = [f"user-{n}" for n in range(60_000)]


def serving(percentage: float, *weights: int) -> Flag:
    return Flag(
        "checkout",
        exists=True,
        salt="checkout",
        enabled=True,
        exposures=(Exposure(EVERYONE, percentage),),
        kind="number",
        variants=weighing(*weights),
        default="0",
    )


def index(unit: str, *weights: int) -> int:
    """Which of the variants the unit gets."""
    return int(drawn(weighing(*weights), draw("checkout", unit, sum(weights))).name)


# The algorithm


@pytest.mark.parametrize(
    ("salt", "unit", "place"),
    [
        ("checkout", "unit-1", 33_750),
        ("checkout", "unit-2", 19_868),
        ("batch-patches-v1", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", 25_384),
        ("s", "", 64_647),
        ("", "ünït \U0001f600", 74_148),
    ],
)
def test_a_unit_has_its_draw_for_good(salt: str, unit: str, place: int) -> None:
    """Change one of these and users in the middle of an experiment change sides."""
    assert draw(salt, unit, 100_000) == place


@given(st.text(max_size=20), st.text(max_size=20), st.integers(1, 2**31 - 1))
def test_the_draw_is_a_murmur_hash_of_its_own_scaled_to_the_weights(
    salt: str, unit: str, total: int
) -> None:
    place = mmh3.hash(f"{salt}:{unit}", seed=int.from_bytes(b"vari"), signed=False) * total >> 32
    assert draw(salt, unit, total) == place < total


@given(weights, st.data())
def test_each_variant_holds_as_many_places_as_it_weighs(
    weights: list[int], data: st.DataObject
) -> None:
    held = Counter(drawn(weighing(*weights), place).name for place in range(sum(weights)))
    assert [held[str(n)] for n in range(len(weights))] == weights
    place = data.draw(st.integers(0, sum(weights) - 1))
    at = int(drawn(weighing(*weights), place).name)
    assert sum(weights[:at]) <= place < sum(weights[: at + 1])


@pytest.mark.parametrize("salt", ["checkout", "s", "another-flag"])
@pytest.mark.parametrize("weighed", [(1, 1), (50, 30, 20), (1, 0, 98, 1), (2**20, 2**21)])
def test_shares_are_as_the_weights_say(salt: str, weighed: tuple[int, ...]) -> None:
    total = sum(weighed)
    found = Counter(drawn(weighing(*weighed), draw(salt, unit, total)).name for unit in CROWD)
    rows = [(found[str(n)], w / total * len(CROWD)) for n, w in enumerate(weighed) if w]
    assert sum(count for count, _ in rows) == len(CROWD)
    assert scipy.stats.chisquare(*zip(*rows, strict=True)).pvalue > 0.001


@pytest.mark.parametrize("salt", ["checkout", "s", "", "another-flag"])
@pytest.mark.parametrize("form", ["user-{}", "{}", "{:036d}"])
def test_who_is_in_says_nothing_about_which_variant(salt: str, form: str) -> None:
    counts = Counter(
        (bucket(salt, unit) // 10_000, draw(salt, unit, 10))
        for unit in map(form.format, range(60_000))
    )
    table = [[counts[row, column] for column in range(10)] for row in range(10)]
    assert scipy.stats.chi2_contingency(table).pvalue > 0.001


def test_the_variants_of_two_flags_are_independent() -> None:
    counts = Counter((draw("one", unit, 4), draw("other", unit, 4)) for unit in CROWD)
    table = [[counts[row, column] for column in range(4)] for row in range(4)]
    assert scipy.stats.chi2_contingency(table).pvalue > 0.001


@given(st.integers(1, 2**31 - 1), st.data())
def test_a_place_begins_among_the_hashes_exactly_at_its_cut(of: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, of))
    at = cut(place, of)
    assert at == 0 or (at - 1) * of >> 32 < place
    assert at == 2**32 or at * of >> 32 >= place
    assert (at == 0, at == 2**32) == (place == 0, place == of)


# What moves nobody, and whom a change moves


@given(units, weights, permille, permille)
def test_no_percentage_moves_anyone_between_variants(
    unit: str, weights: list[int], one: float, other: float
) -> None:
    found = [explain(serving(percentage, *weights), unit) for percentage in (one, other)]
    if all(answer.enabled for answer in found):
        assert found[0].variant == found[1].variant
    assert all(answer.variant == "0" for answer in found if not answer.enabled)


@given(units, large, st.integers(1, 4))
def test_weights_in_the_same_proportion_are_the_same(
    unit: str, weights: list[int], times: int
) -> None:
    assert index(unit, *weights) == index(unit, *(weight * times for weight in weights))


@given(units, weights, st.integers(0, 5))
def test_a_variant_without_weight_moves_nobody_wherever_it_stands(
    unit: str, weights: list[int], at: int
) -> None:
    at = min(at, len(weights))
    found = index(unit, *weights[:at], 0, *weights[at:])
    assert found == index(unit, *weights) + (index(unit, *weights) >= at)


@given(units, st.lists(st.integers(0, 50), max_size=3), st.integers(1, 50), st.data())
def test_a_variant_that_takes_its_weight_from_the_last_takes_its_units_from_the_last_alone(
    unit: str, before: list[int], last: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(1, last))
    old = index(unit, *before, last)
    new = index(unit, *before, last - taken, taken)
    assert new == old or (old, new) == (len(before), len(before) + 1)


@given(units, weights, weights, weights)
def test_where_the_sum_stays_who_stands_before_the_change_keeps_their_units(
    unit: str, before: list[int], one: list[int], other: list[int]
) -> None:
    more = sum(one) - sum(other)
    one, other = [*one, max(0, -more)], [*other, max(0, more)]
    old, new = index(unit, *before, *one), index(unit, *before, *other)
    assert old == new or min(old, new) >= len(before)


@given(units, weights, st.integers(1, 9))
def test_weight_added_at_the_end_moves_units_down_the_list_alone(
    unit: str, weights: list[int], more: int
) -> None:
    old = index(unit, *weights)
    assert old <= index(unit, *weights, more)
    assert old <= index(unit, *weights[:-1], weights[-1] + more)
