from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from events import BatchExecuted
from events.flags import FlagEnabled
from events.timestamps import DAY, MINUTE, SECOND
from projections.vitals import (
    KEPT_INSTANCES,
    KEPT_INVARIANTS,
    KEPT_MINUTES,
    VITALS,
    Block,
    Memory,
    Minute,
    Vitals,
)
from tests.projections.recording import START, Told, at, execution, told

enabled = FlagEnabled(flag="checkout", reason="")


def vitals_after(*history: Told) -> Vitals:
    return VITALS.fold("checkout", told(*history))


# The window


def test_the_window_is_the_sum_of_its_minutes() -> None:
    vitals = vitals_after(
        at(0, execution(ms=1000, violations={"order": 2})),
        at(MINUTE, execution(failed=True, ms=1001)),
        at(2 * MINUTE, execution(ms=5)),
    )
    assert vitals.window(START + 2 * MINUTE, 3) == Minute(3, 1, 1, 1_001_000, 2, {"order": 2})
    assert vitals.window(START + 2 * MINUTE, 2) == Minute(2, 1, 1, 1_001_000, 0)
    assert vitals.window(START + 9 * MINUTE, 5) == Minute()


@given(
    st.lists(st.integers(0, 3 * KEPT_MINUTES), max_size=30),
    st.integers(0, 4 * KEPT_MINUTES),
    st.integers(1, KEPT_MINUTES),
)
def test_out_of_order_the_window_holds_what_was_learned_in_it(
    minutes: list[int], now: int, length: int
) -> None:
    learned = [max(minutes[: i + 1]) for i in range(len(minutes))]
    vitals = vitals_after(*(at(m * MINUTE, execution()) for m in minutes))
    now = max([now, *minutes])
    window = vitals.window(START + now * MINUTE, length)
    assert window.executions == sum(now - length < m for m in learned)


def test_an_hour_is_kept() -> None:
    vitals = vitals_after(*(at(n * MINUTE, execution()) for n in range(200)))
    assert len(vitals.minutes) == KEPT_MINUTES
    assert vitals.window(START + 199 * MINUTE, KEPT_MINUTES).executions == KEPT_MINUTES


def test_late_news_is_news() -> None:
    vitals = vitals_after(at(DAY, execution()), at(0, execution(failed=True)))
    assert vitals.minutes == {(START + DAY) // MINUTE: Minute(2, 1, 0, 20_000, 0)}
    assert vitals.last_at == START + DAY


def test_a_clock_that_is_ahead_is_not_believed() -> None:
    (ahead,) = told(at(0, execution()))
    vitals = VITALS.fold("checkout", [replace(ahead, occurred_at=START + DAY)])
    assert vitals.last_at == START


def test_only_the_new_code_that_ran_counts() -> None:
    vitals = vitals_after(execution(cohort="off"), execution(outcome="rejected"))
    assert vitals == Vitals("checkout")


def test_switching_on_begins_anew_and_what_failed_before_stays_before() -> None:
    vitals = vitals_after(
        at(0, execution(failed=True, memory_current_bytes=100, instance="web-1:7")),
        at(5 * SECOND, enabled),
        at(4 * SECOND, execution(failed=True)),
        at(5 * SECOND, execution()),
    )
    assert vitals.since == START + 5 * SECOND
    assert vitals.window(START + MINUTE, 15) == Minute(1, 0, 0, 20_000, 0)
    assert vitals.memory == {}


# Memory


def floors(*used: int, at: int | None = None) -> Memory:
    memory = Memory()
    for moment, used_bytes in enumerate(used):
        memory.add(used_bytes, moment if at is None else at)
    return memory


def test_a_block_holds_the_least_of_its_executions_and_when_it_ended() -> None:
    assert floors(9, 8, 12, 10, 20, 15).blocks == [Block(8, 3), Block(15, 5)]


def test_a_fall_to_half_begins_the_trend_anew() -> None:
    assert floors(100, 100, 100, 100, 110, 54).blocks == [Block(54, 5)]
    assert floors(100, 100, 100, 100, 110, 55).blocks == [Block(100, 3), Block(55, 5)]


@given(st.lists(st.integers(1_000, 1_999), min_size=1, max_size=700))
def test_blocks_are_the_floors_of_equal_runs_of_executions(used: list[int]) -> None:
    memory = floors(*used)
    runs = [used[i : i + memory.size] for i in range(0, len(used), memory.size)]
    assert [block.floor_bytes for block in memory.blocks] == [min(run) for run in runs]
    assert memory.filled == len(runs[-1])
    assert memory.size == 4 or len(memory.blocks) > 16
    assert len(memory.blocks) <= 32


@given(st.permutations(range(200)))
def test_a_block_ends_when_its_latest_execution_happened(moments: list[int]) -> None:
    memory = Memory()
    for moment in moments:
        memory.add(1000, moment)
    runs = [moments[i : i + memory.size] for i in range(0, 200, memory.size)]
    assert [block.at for block in memory.blocks] == [max(run) for run in runs]


def using(used_bytes: int, instance: str = "web-1:7") -> BatchExecuted:
    return execution(memory_current_bytes=used_bytes, instance=instance)


def test_executions_that_do_not_tell_memory_or_whose_it_is_leave_the_trend_alone() -> None:
    for silent in (execution(), using(0), using(7, "")):
        assert vitals_after(silent).memory == {}
        assert vitals_after(using(7), silent).memory == vitals_after(using(7)).memory


def test_each_process_has_a_trend_of_its_own() -> None:
    both = [using(100), using(900, "web-2:9"), using(90), using(901, "web-2:9")]
    assert vitals_after(*both).memory == {
        "web-1:7": floors(100, 90, at=START),
        "web-2:9": floors(900, 901, at=START),
    }


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 10**9)), max_size=60))
def test_a_trend_is_what_it_would_be_if_the_process_were_alone(told_by: list) -> None:
    memory = vitals_after(*(using(used, f"web-{n}") for n, used in told_by)).memory
    assert memory.keys() == {f"web-{n}" for n, _ in told_by}
    for name, trend in memory.items():
        own = [used for n, used in told_by if f"web-{n}" == name]
        assert trend == floors(*own, at=START)


def test_of_many_processes_the_longest_silent_one_makes_room() -> None:
    names = [f"web-{n}" for n in range(KEPT_INSTANCES)]
    started = [at(n, using(100, name)) for n, name in enumerate(names)]
    heard_again = at(KEPT_INSTANCES, using(100, "web-0"))
    new = at(KEPT_INSTANCES + 1, using(100, "new"))
    assert vitals_after(*started, heard_again).memory.keys() == set(names)
    vitals = vitals_after(*started, heard_again, new)
    assert vitals.memory.keys() == {*names, "new"} - {"web-1"}


def test_there_are_never_more_processes_than_are_kept() -> None:
    ran = (at(n, using(100, f"web-{n}")) for n in range(5 * KEPT_INSTANCES))
    assert len(vitals_after(*ran).memory) == KEPT_INSTANCES == 32


def test_it_names_only_the_first_few_invariants_and_counts_all() -> None:
    many = [at(0, execution(violations={f"invariant-{n}": 1})) for n in range(20)]
    seen = vitals_after(*many).window(START, 1)
    assert (seen.violations, len(seen.broken)) == (20, KEPT_INVARIANTS)
