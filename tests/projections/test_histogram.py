from fractions import Fraction
from itertools import pairwise
from math import ceil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.histogram import LONGEST_US, Histogram, bounds

LAST = 32 * 62

durations = (
    st.integers(0, 100) | st.integers(0, 100_000) | st.integers(0, 10**10) | st.integers(0, 2**62)
)
samples = st.lists(durations, max_size=60)


def histogram_of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def merged(*parts: Histogram) -> Histogram:
    whole = Histogram()
    for part in parts:
        whole.merge(part)
    return whole


def canonical(histogram: Histogram) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(histogram, str_keys=True), order="sorted")


def nearest_rank(values: list[int], q: float) -> int:
    return sorted(values)[max(1, ceil(Fraction(str(q)) * len(values))) - 1]


# Buckets


def test_the_highest_integer_of_a_bucket_is_the_floor_of_a_power_of_two_to_the_32nds() -> None:
    for index in range(LAST + 1):
        _, highest = bounds(index)
        assert highest**32 <= 2**index < (highest + 1) ** 32


def test_each_bucket_begins_where_the_one_before_it_ends() -> None:
    edges = [bounds(index) for index in range(LAST + 1)]
    assert edges[0] == (1, 1)
    assert edges[-1][1] == LONGEST_US == 2**62
    assert all(after[0] == before[1] + 1 for before, after in pairwise(edges))


@given(st.integers(1, LONGEST_US))
def test_a_value_lies_within_the_bounds_of_its_bucket(value: int) -> None:
    (index,) = histogram_of([value]).buckets
    lowest, highest = bounds(index)
    assert lowest <= value <= highest


def test_a_power_of_two_is_the_last_value_of_its_bucket() -> None:
    for exponent in range(62):
        assert histogram_of([2**exponent]).buckets == {32 * exponent: 1}
        (next_index,) = histogram_of([2**exponent + 1]).buckets
        assert next_index > 32 * exponent


@pytest.mark.parametrize("index", [-1, LAST + 1])
def test_an_index_that_no_value_has_has_no_bounds(index: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        bounds(index)


# Adding and merging


@given(samples)
def test_the_count_is_the_number_of_values(values: list[int]) -> None:
    assert histogram_of(values).count == len(values)


@given(durations, st.integers(1, 9))
def test_adding_a_value_with_a_count_is_adding_it_as_often(value: int, count: int) -> None:
    at_once = Histogram()
    at_once.add(value, count)
    assert at_once == histogram_of([value] * count)


@given(samples, samples, samples)
def test_merging_is_adding_everything_in_any_order_and_grouping(
    a: list[int], b: list[int], c: list[int]
) -> None:
    x, y, z = map(histogram_of, (a, b, c))
    whole = histogram_of(c + a + b)
    assert merged(x, y, z) == whole
    assert merged(z, y, x) == whole
    assert merged(x, merged(y, z)) == whole
    assert (x, y, z) == (histogram_of(a), histogram_of(b), histogram_of(c))


@given(samples)
def test_merging_a_histogram_with_itself_doubles_it(values: list[int]) -> None:
    histogram = histogram_of(values)
    histogram.merge(histogram)
    assert histogram == histogram_of(values * 2)


@pytest.mark.parametrize(("value", "count"), [(-1, 1), (LONGEST_US + 1, 1), (5, 0), (0, -1)])
def test_what_is_no_duration_or_no_count_is_refused_and_changes_nothing(
    value: int, count: int
) -> None:
    histogram = Histogram()
    with pytest.raises(ValueError, match=r"duration|once"):
        histogram.add(value, count)
    assert histogram == Histogram()


# Quantiles


@given(st.lists(durations, min_size=1, max_size=60), st.floats(0, 1))
def test_a_quantile_is_within_one_percent_and_rounding_of_the_nearest_rank(
    values: list[int], q: float
) -> None:
    exact = nearest_rank(values, q)
    answer = histogram_of(values).quantile(q)
    assert answer is not None
    assert abs(answer - exact) <= Fraction("0.011") * exact + Fraction(1, 2)
    assert answer == exact or exact > 46


@given(st.lists(st.integers(1_400, 2**62), min_size=1), st.floats(0, 1))
def test_from_1400_microseconds_up_a_quantile_is_within_one_point_one_percent(
    values: list[int], q: float
) -> None:
    exact = nearest_rank(values, q)
    answer = histogram_of(values).quantile(q)
    assert answer is not None
    assert abs(answer - exact) <= Fraction("0.011") * exact


def test_no_value_of_any_bucket_is_further_from_its_quantile_than_promised() -> None:
    for index in range(LAST + 1):
        lowest, highest = bounds(index)
        if lowest > highest:
            continue
        answer = Histogram(buckets={index: 1}).quantile(0.5)
        assert answer is not None
        rounding = Fraction(1, 2) if lowest < 1_400 else 0
        assert answer - lowest <= Fraction("0.011") * lowest + rounding
        assert highest - answer <= Fraction("0.011") * highest + rounding
        assert lowest == highest or lowest > 46


def test_the_quantile_of_nothing_is_none() -> None:
    assert Histogram().quantile(0.95) is None


def test_zeros_come_first() -> None:
    histogram = histogram_of([0, 0, 0, 40])
    assert [histogram.quantile(q) for q in (0, 0.75, 0.76, 1)] == [0, 0, 40, 40]


def test_the_rank_of_a_quantile_follows_its_decimal_digits() -> None:
    assert 0.07 * 100 > 7, "the float product would round up to rank 8"
    assert histogram_of([1] * 7 + [40] * 93).quantile(0.07) == 1


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_outside_zero_to_one_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        Histogram().quantile(q)


# Exceedances


@given(samples, durations)
def test_the_exceedances_lie_between_the_certain_and_the_possible(
    values: list[int], threshold: int
) -> None:
    certain, possible = histogram_of(values).exceeding(threshold)
    assert certain <= sum(value > threshold for value in values) <= possible


@given(samples, st.integers(1, LAST))
def test_at_the_edge_of_a_bucket_the_exceedances_are_exact(values: list[int], index: int) -> None:
    threshold = bounds(index)[1]
    true = sum(value > threshold for value in values)
    assert histogram_of(values).exceeding(threshold) == (true, true)


@given(samples)
def test_all_but_the_zeros_exceed_zero(values: list[int]) -> None:
    positive = sum(value > 0 for value in values)
    assert histogram_of(values).exceeding(0) == (positive, positive)


def test_only_the_bucket_that_a_threshold_splits_is_in_doubt() -> None:
    (index,) = histogram_of([500_000]).buckets
    lowest, highest = bounds(index)
    histogram = histogram_of([lowest - 1, lowest, 500_000, highest, highest + 1])
    assert histogram.exceeding(500_000) == (1, 4)


def test_nothing_exceeds_a_threshold_beyond_the_longest_duration() -> None:
    assert histogram_of([LONGEST_US]).exceeding(LONGEST_US + 1) == (0, 0)


def test_a_negative_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        Histogram().exceeding(-1)


# Storage


@given(samples)
def test_a_histogram_survives_json(values: list[int]) -> None:
    histogram = histogram_of(values)
    for text in (msgspec.json.encode(histogram), canonical(histogram)):
        assert msgspec.json.decode(text, type=Histogram) == histogram


@given(st.data(), samples)
def test_canonical_json_does_not_tell_the_order_of_arrival(
    data: st.DataObject, values: list[int]
) -> None:
    shuffled = data.draw(st.permutations(values))
    assert canonical(histogram_of(shuffled)) == canonical(histogram_of(values))


@pytest.mark.parametrize(
    "text",
    [
        '{"zero":-1}',
        '{"buckets":{"3":0}}',
        '{"buckets":{"-1":1}}',
        f'{{"buckets":{{"{LAST + 1}":1}}}}',
        '{"one":1}',
    ],
)
def test_what_no_adding_could_have_made_is_not_decoded(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Histogram)
