from typing import Any

import pytest

from controlplane.rules.catalog import RULES
from controlplane.rules.rule import NO_DATA, Finding, Watched
from events import BatchExecuted
from events.timestamps import HOUR, MINUTE, SECOND
from projections.flags import FLAGS
from projections.rollouts import ROLLOUTS
from projections.vitals import VITALS
from tests.controlplane.rollout_stories import begun, completed, rolling_back
from tests.projections.flag_events import BETA, created, disabled, enabled, exposed
from tests.projections.recording import START, At, Told, at, execution, told

SERVED = (created, enabled, exposed(10))
MIB = 2**20
INFO = {"TELEMETRY_STALE", "WAVE_STALLED"}


def finding(rule: str, *history: Told, after: int = 0, flag: Any = SERVED) -> Finding:
    """What a rule says at START and so much, of a flag that is served."""
    recorded = told(*flag, *history)
    of_kind = {
        projection: [event for event in recorded if type(event.event) in projection.events]
        for projection in (FLAGS, VITALS, ROLLOUTS)
    }
    rollout = ROLLOUTS.fold("checkout-r1", of_kind[ROLLOUTS]) if of_kind[ROLLOUTS] else None
    return RULES[rule].judge(
        Watched(
            flag=FLAGS.fold("checkout", of_kind[FLAGS]),
            vitals=VITALS.fold("checkout", of_kind[VITALS]),
            rollout=rollout,
            now=START + after,
        )
    )


def many(number: int, *, failed: int = 0, **facts: Any) -> list[BatchExecuted]:
    return [execution(failed=n < failed, **facts) for n in range(number)]


def later(number: int) -> list[At]:
    """Executions nine minutes after START."""
    return [at(9 * MINUTE, execution()) for _ in range(number)]


def leaking(
    rate: float,
    blocks: int = 20,
    *,
    levels_off_after: int = 10**9,
    instance: str = "web-1:7",
    start_mib: float = 100,
) -> list[At]:
    """Blocks of four executions, ten seconds apart, whose memory grows by `rate` MiB a block."""
    return [
        at(
            block * 10 * SECOND,
            execution(
                memory_current_bytes=int((start_mib + rate * min(block, levels_off_after)) * MIB),
                instance=instance,
            ),
        )
        for block in range(blocks)
        for _ in range(4)
    ]


FIRM = leaking(0, instance="web-2:9")
WARMING = leaking(10, levels_off_after=12, instance="web-3:1")
UNLIKE = [  # Small at first, large later on: seen as one, it would look like a leak.
    *leaking(0, start_mib=100, instance="web-1:7"),
    *leaking(0, start_mib=900, instance="web-2:9"),
]


# The definitions


def test_there_are_the_eight_rules_in_their_severities() -> None:
    assert {name: rule.severity for name, rule in RULES.items()} == {
        "INVARIANT_VIOLATION_DETECTED": "critical",
        "ERROR_RATE_CRITICAL": "critical",
        "MEMORY_LEAK_DETECTED": "critical",
        "SLOW_BATCH_DETECTED": "warning",
        "ERROR_RATE_WARNING": "warning",
        "HIGH_VIOLATION_RATE": "warning",
        "TELEMETRY_STALE": "info",
        "WAVE_STALLED": "info",
    }


def test_each_severity_has_its_targets() -> None:
    targets = {
        rule.severity: (rule.acknowledge_within_us, rule.resolve_within_us)
        for rule in RULES.values()
    }
    assert targets == {
        "critical": (5 * MINUTE, 15 * MINUTE),
        "warning": (30 * MINUTE, 4 * HOUR),
        "info": (None, None),
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_has_a_condition_and_a_playbook(rule: Any) -> None:
    assert rule.condition
    assert len(rule.playbook) >= 2
    assert all(step.endswith((".", "?")) for step in rule.playbook)


def test_violations_and_a_critical_error_rate_switch_the_flag_off() -> None:
    assert {name for name, rule in RULES.items() if rule.disables_flag} == {
        "INVARIANT_VIOLATION_DETECTED",
        "ERROR_RATE_CRITICAL",
    }


# Firing, fine, silent

VIOLATED = execution(violations={"order": 1})
FINDINGS: list[tuple[str, list[Told], int, str]] = [
    ("INVARIANT_VIOLATION_DETECTED", [VIOLATED], 0, "firing"),
    ("INVARIANT_VIOLATION_DETECTED", [VIOLATED, *many(1000)], 14 * MINUTE, "firing"),
    ("INVARIANT_VIOLATION_DETECTED", [VIOLATED, *later(20)], 15 * MINUTE, "ok"),
    ("INVARIANT_VIOLATION_DETECTED", [VIOLATED, *later(19)], 15 * MINUTE, "no_data"),
    ("INVARIANT_VIOLATION_DETECTED", [VIOLATED], 15 * MINUTE, "no_data"),
    ("ERROR_RATE_CRITICAL", many(5, failed=5), 0, "firing"),
    ("ERROR_RATE_CRITICAL", many(40, failed=20), 4 * MINUTE, "firing"),
    ("ERROR_RATE_CRITICAL", many(4, failed=4), 0, "no_data"),
    ("ERROR_RATE_CRITICAL", many(100, failed=21), 0, "no_data"),
    ("ERROR_RATE_CRITICAL", many(100, failed=20), 0, "ok"),
    ("ERROR_RATE_CRITICAL", many(14), 0, "ok"),
    ("ERROR_RATE_CRITICAL", many(13), 0, "no_data"),
    ("ERROR_RATE_CRITICAL", many(40, failed=40), 5 * MINUTE, "no_data"),
    ("ERROR_RATE_WARNING", many(3, failed=3), 0, "firing"),
    ("ERROR_RATE_WARNING", many(100, failed=14), 14 * MINUTE, "firing"),
    ("ERROR_RATE_WARNING", many(2, failed=2), 0, "no_data"),
    ("ERROR_RATE_WARNING", many(100, failed=5), 0, "ok"),
    ("ERROR_RATE_WARNING", many(58), 0, "no_data"),
    ("ERROR_RATE_WARNING", many(100, failed=50), 15 * MINUTE, "no_data"),
    ("HIGH_VIOLATION_RATE", [execution(violations={"a": 6, "b": 5})], 59 * MINUTE, "firing"),
    ("HIGH_VIOLATION_RATE", [execution(violations={"a": 10}), *many(19)], 59 * MINUTE, "ok"),
    ("HIGH_VIOLATION_RATE", [execution(violations={"a": 11})], 60 * MINUTE, "no_data"),
    ("SLOW_BATCH_DETECTED", [*many(99), execution(ms=1000.001)], 4 * MINUTE, "firing"),
    ("SLOW_BATCH_DETECTED", many(20, ms=1000), 4 * MINUTE, "ok"),
    ("SLOW_BATCH_DETECTED", many(19, ms=1000), 4 * MINUTE, "no_data"),
    ("SLOW_BATCH_DETECTED", [execution(ms=2000)], 5 * MINUTE, "no_data"),
    ("MEMORY_LEAK_DETECTED", leaking(2), 0, "firing"),
    ("MEMORY_LEAK_DETECTED", leaking(1), 0, "ok"),
    ("MEMORY_LEAK_DETECTED", leaking(0), 0, "ok"),
    ("MEMORY_LEAK_DETECTED", leaking(-2), 0, "ok"),
    ("MEMORY_LEAK_DETECTED", leaking(10, levels_off_after=8), 0, "ok"),
    ("MEMORY_LEAK_DETECTED", leaking(9, blocks=16), 0, "no_data"),
    ("MEMORY_LEAK_DETECTED", many(1000), 0, "no_data"),
    ("MEMORY_LEAK_DETECTED", leaking(9, instance=""), 0, "no_data"),
    ("MEMORY_LEAK_DETECTED", UNLIKE, 0, "ok"),
    ("MEMORY_LEAK_DETECTED", [*FIRM, *leaking(2)], 0, "firing"),
    ("MEMORY_LEAK_DETECTED", [*leaking(2), *FIRM], 0, "firing"),
    ("MEMORY_LEAK_DETECTED", [*FIRM, *leaking(2, blocks=9)], 0, "ok"),
    ("MEMORY_LEAK_DETECTED", [*WARMING, *leaking(2)], 0, "firing"),
    ("MEMORY_LEAK_DETECTED", leaking(2), 190 * SECOND + 15 * MINUTE, "firing"),
    ("MEMORY_LEAK_DETECTED", leaking(2), 190 * SECOND + 15 * MINUTE + 1, "no_data"),
    ("TELEMETRY_STALE", [], 15 * MINUTE + 1, "firing"),
    ("TELEMETRY_STALE", [], 15 * MINUTE, "ok"),
    ("TELEMETRY_STALE", [at(MINUTE, execution())], 16 * MINUTE, "ok"),
    ("TELEMETRY_STALE", [at(MINUTE, execution(cohort="off"))], 16 * MINUTE, "firing"),
    ("TELEMETRY_STALE", [exposed(0)], HOUR, "no_data"),
    ("TELEMETRY_STALE", [exposed(0, BETA)], HOUR, "firing"),
    ("WAVE_STALLED", [*begun], 2 * HOUR + 1, "firing"),
    ("WAVE_STALLED", [*begun], 2 * HOUR, "ok"),
    ("WAVE_STALLED", [*rolling_back], 9 * HOUR, "ok"),
    ("WAVE_STALLED", [*completed], 9 * HOUR, "ok"),
    ("WAVE_STALLED", [], 9 * HOUR, "ok"),
]


@pytest.mark.parametrize(
    ("rule", "history", "after", "state"),
    FINDINGS,
    ids=[f"{rule}-{state}-{n}" for n, (rule, _, _, state) in enumerate(FINDINGS)],
)
def test_a_rule_fires_is_fine_or_has_too_little_to_say(
    rule: str, history: list[Told], after: int, state: str
) -> None:
    found = finding(rule, *history, after=after)
    assert found.state == state
    assert (found == NO_DATA) == (state == "no_data")
    assert bool(found.summary) == (state != "no_data")


def test_every_rule_is_tried_in_each_of_its_states() -> None:
    tried = {(rule, state) for rule, _, _, state in FINDINGS}
    states = {(rule, state) for rule in RULES for state in ("firing", "ok", "no_data")}
    assert states - tried == {("WAVE_STALLED", "no_data")}, "no rollout is no standstill"


@pytest.mark.parametrize("rule", sorted(RULES.keys() - {"WAVE_STALLED"}))
def test_of_a_flag_that_is_off_nothing_is_said(rule: str) -> None:
    bad = execution(failed=True, ms=5000, violations={"order": 50})
    assert finding(rule, *[bad] * 50, *leaking(9), disabled) == NO_DATA


@pytest.mark.parametrize("rule", sorted(RULES.keys() - INFO - {"MEMORY_LEAK_DETECTED"}))
def test_switched_on_anew_what_failed_before_is_not_held_against_it(rule: str) -> None:
    bad = execution(failed=True, ms=5000, violations={"order": 50})
    again = at(SECOND, enabled)
    assert finding(rule, *[bad] * 50, disabled, again, after=SECOND) == NO_DATA


@pytest.mark.parametrize(
    ("rule", "history", "after", "numbers", "summary"),
    [
        (
            "ERROR_RATE_CRITICAL",
            many(40, failed=20),
            0,
            (0.5, 0.2, "ratio", 40),
            "20 of 40 executions failed in 5 min = 50.0%, threshold 20%",
        ),
        (
            "INVARIANT_VIOLATION_DETECTED",
            [VIOLATED],
            0,
            (1, 0, "violations", 1),
            "1 invariant violation (order) in 1 executions in 15 min, threshold 0",
        ),
        (
            "HIGH_VIOLATION_RATE",
            [execution(violations={"b": 2, "a": 2, "d": 1, "c": 9})],
            0,
            (14, 10, "violations", 1),
            "14 invariant violations (c, a, b, …) in 1 executions in 60 min, threshold 10",
        ),
        (
            "SLOW_BATCH_DETECTED",
            [execution(), execution(ms=1500)],
            0,
            (1500, 1000, "ms", 2),
            "1 of 2 executions took over 1000 ms in 5 min, the slowest 1500 ms",
        ),
        (
            "MEMORY_LEAK_DETECTED",
            leaking(2),
            0,
            (36 * MIB, 32 * MIB, "bytes", 19),
            "memory floor of web-1:7 moved by +36.0 MiB in 180 s, threshold 32 MiB",
        ),
    ],
)
def test_a_finding_carries_its_numbers(
    rule: str, history: Any, after: int, numbers: tuple[Any, ...], summary: str
) -> None:
    found = finding(rule, *history, after=after)
    assert (found.value, found.threshold, found.unit, found.sample) == pytest.approx(numbers)
    assert found.summary.startswith(summary)


def test_of_many_processes_the_one_that_leaks_is_named() -> None:
    found = finding("MEMORY_LEAK_DETECTED", *FIRM, *leaking(2), *leaking(3, instance="web-3:1"))
    assert found.summary.startswith("memory floor of web-3:1 moved by +54.0 MiB")


def test_a_process_that_leaked_and_was_restarted_is_forgiven() -> None:
    quarter_later = [at(20 * MINUTE + one.time - START, one.event) for one in FIRM]
    found = finding("MEMORY_LEAK_DETECTED", *leaking(2), *quarter_later, after=24 * MINUTE)
    assert found.state == "ok"
    assert "web-2:9" in found.summary


def test_a_wave_that_stalls_says_what_it_waits_for() -> None:
    found = finding("WAVE_STALLED", *begun, after=3 * HOUR)
    assert found.summary.startswith("wave 1 of checkout-r1 has lasted ")
    assert found.summary.endswith("just entered")
