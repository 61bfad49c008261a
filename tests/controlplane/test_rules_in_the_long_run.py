"""How often rules cry wolf, and how long they take: seeded simulations, one look every 20."""

import random
from collections.abc import Iterator
from statistics import median

import pytest
from msgspec.structs import replace

from controlplane.rules.catalog import RULES
from controlplane.rules.rule import Finding, Watched
from events.timestamps import MINUTE
from projections.flags import Flag
from projections.vitals import VITALS
from tests.projections.recording import START, execution, told

FLAG = Flag("checkout", exists=True, enabled=True)
LOOK_EVERY = 20
GOOD, BAD = told(execution(), execution(failed=True))


def looks(
    rule: str, error_rate: float, *, executions: int, a_minute: int, seed: int
) -> Iterator[tuple[int, Finding]]:
    """What a rule finds after each 20 executions, and how many there were by then."""
    chance = random.Random(seed)  # noqa: S311  why: a simulation
    vitals = VITALS.initial("checkout")
    for number in range(1, executions + 1):
        now = START + number * MINUTE // a_minute
        outcome = BAD if chance.random() < error_rate else GOOD
        vitals = VITALS.evolve(vitals, replace(outcome, occurred_at=now, recorded_at=now))
        if number % LOOK_EVERY == 0:
            watched = Watched(flag=FLAG, vitals=vitals, rollout=None, now=now)
            yield number, RULES[rule].judge(watched)


@pytest.mark.parametrize("a_minute", [2, 10, 100, 1000])
def test_a_true_error_rate_of_5_percent_is_never_critical(a_minute: int) -> None:
    """6000 looks at each pace; one false alarm would switch production off."""
    found = looks("ERROR_RATE_CRITICAL", 0.05, executions=120_000, a_minute=a_minute, seed=a_minute)
    assert [number for number, finding in found if finding.state == "firing"] == []


def test_at_half_failing_it_fires_within_the_first_looks() -> None:
    delays = []
    for seed in range(200):
        found = looks("ERROR_RATE_CRITICAL", 0.5, executions=400, a_minute=100, seed=seed)
        delays.append(next(number for number, finding in found if finding.state == "firing"))
    assert median(delays) <= 2 * LOOK_EVERY
    assert max(delays) <= 5 * LOOK_EVERY


def test_at_3_percent_even_the_warning_keeps_silent() -> None:
    found = looks("ERROR_RATE_WARNING", 0.03, executions=100_000, a_minute=100, seed=3)
    assert sum(finding.state == "firing" for _, finding in found) == 0


def test_at_10_percent_the_warning_comes_within_a_few_hundred_executions() -> None:
    delays = []
    for seed in range(50):
        found = looks("ERROR_RATE_WARNING", 0.1, executions=4000, a_minute=100, seed=seed)
        delays.append(next(number for number, finding in found if finding.state == "firing"))
    assert median(delays) < 300
