import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.executions import LAYERS
from events.timestamps import MINUTE
from projections.metrics import LADDER_US, METRICS, TOTALS, Rungs, Tally, minute_key
from projections.projection import canonical
from tests.projections.histories import executions, times
from tests.projections.recording import START, at, execution, told

batches = st.lists(st.tuples(executions, times), max_size=12)
durations = st.lists(
    st.integers(0, 20_000_000) | st.sampled_from(LADDER_US) | st.integers(0, 2**53), max_size=40
)


def tally_of(happened: list[tuple]) -> Tally:
    tally = Tally()
    for event, moment in happened:
        tally.add(event, moment)
    return tally


# Tally


@given(st.data(), batches)
def test_in_any_order_a_tally_comes_out_the_same(data: st.DataObject, happened: list) -> None:
    shuffled = data.draw(st.permutations(happened))
    assert canonical(tally_of(happened)) == canonical(tally_of(shuffled))


@given(batches, batches)
def test_merging_two_tallies_is_tallying_both(one: list, other: list) -> None:
    merged = tally_of(one)
    merged.merge(tally_of(other))
    assert canonical(merged) == canonical(tally_of(one + other))


@given(batches)
def test_outcomes_and_durations_add_up(happened: list) -> None:
    tally = tally_of(happened)
    assert tally.succeeded + tally.failed + tally.rejected == len(happened)
    counted = [tally.durations.count, sum(tally.rungs.counts)]
    counted += [sum(tally.layers[layer].counts) for layer in LAYERS]
    assert counted == [tally.executions] * 5


def test_a_rejected_execution_counts_as_nothing_else() -> None:
    tally = tally_of([(execution(outcome="rejected", patches_failed=3, ms=9), START)])
    assert (tally.rejected, tally.executions, tally.error_rate) == (1, 0, None)
    assert (tally.patches_failed, tally.durations.count, tally.shares.batches) == (0, 0, 0)


def test_the_error_rate_is_of_those_that_ran() -> None:
    happened = [execution(), execution(), execution(failed=True), execution(outcome="rejected")]
    assert tally_of([(one, START) for one in happened]).error_rate == 1 / 3


def test_memory_in_use_is_what_the_latest_time_told_whenever_it_was_learned() -> None:
    tally = tally_of(
        [
            (execution(memory_current_bytes=70, memory_peak_bytes=90), START + 1),
            (execution(memory_current_bytes=50, memory_peak_bytes=95), START),
            (execution(), START + 2),
        ]
    )
    assert (tally.memory_current_bytes, tally.memory_peak_bytes) == (70, 95)
    assert (tally.memory_at, tally.last_at) == (START + 1, START + 2)


def test_a_batch_without_patches_has_no_share_of_failed_ones() -> None:
    happened = [execution(), execution(patches_applied=3, patches_failed=1)]
    shares = tally_of([(one, START) for one in happened]).shares
    assert (shares.batches, shares.sum_ppm, shares.sum_ppm_squared) == (1, 250_000, 250_000**2)


# Names of invariants

names = st.integers(0, 130).map("invariant-{}".format)
violations = st.lists(st.dictionaries(names, st.integers(1, 9), max_size=50), max_size=8)


def violated(several: list[dict[str, int]]) -> Tally:
    return tally_of([(execution(violations=one), START) for one in several])


def test_beyond_a_hundred_names_violations_count_as_other() -> None:
    hundred = [{f"invariant-{n}": 1} for n in range(100)]
    assert violated(hundred).violations == {f"invariant-{n}": 1 for n in range(100)}
    tally = violated([*hundred, {"new": 2, "invariant-7": 3}, {"newer": 4}])
    assert tally.violations == violated(hundred).violations | {"invariant-7": 4, "other": 6}


@given(violations, violations)
def test_however_many_names_no_violation_is_lost(one: list, other: list) -> None:
    merged = violated(one)
    merged.merge(violated(other))
    for tally in (merged, violated(one + other)):
        assert len(tally.violations) <= 101
        assert sum(tally.violations.values()) == sum(sum(v.values()) for v in one + other)


# Rungs


@given(durations)
def test_over_a_bound_is_a_naive_count(values: list[int]) -> None:
    rungs = Rungs()
    for value in values:
        rungs.add(value)
    for bound in LADDER_US:
        assert rungs.over(bound) == sum(value > bound for value in values)
    assert rungs.sum_us == sum(values)


def test_exceedances_of_a_bound_off_the_ladder_are_not_known() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        Rungs().over(450_000)


def test_the_ladder_holds_the_bounds_that_are_promised() -> None:
    assert {50_000, 400_000, 500_000, 1_000_000} <= set(LADDER_US)
    assert list(LADDER_US) == sorted(set(LADDER_US))


# Keys


def test_executions_fall_into_the_minute_they_happened_in() -> None:
    first, second = told(at(MINUTE - 1, execution()), at(MINUTE, execution("search", cohort="off")))
    assert METRICS.key(first) == minute_key("checkout", "on", START) == "checkout/on/000030000000"
    assert METRICS.key(second) == "search/off/000030000001"
    assert TOTALS.key(second) == "search/off"


@given(times, times)
def test_keys_of_one_flag_and_cohort_sort_as_time_does(one: int, other: int) -> None:
    keys = [minute_key("checkout", "on", moment) for moment in (one, other)]
    assert (keys[0] < keys[1]) == (one // MINUTE < other // MINUTE)
