"""Silence stops a wave's clock: only time in which something ran counts as held."""

import pytest

from events.timestamps import DAY, HOUR, MINUTE, SECOND
from tests.journeys.traffic import ENGINEER, FLAG, Rolling, Service, plan


def elapsed_us(rolling: Rolling) -> float:
    """For how long the present wave has been held."""
    assessment = rolling.plane.rollouts.status(rolling.id).assessment
    assert assessment is not None
    (bake,) = [one for one in assessment.judgements if one.criterion == "bake_time"]
    return bake.numbers["elapsed_us"]


@pytest.fixture
def hour(service: Service) -> Rolling:
    """A wave that is to be held for an hour has just begun."""
    started = service.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    return Rolling(service, started.id)


@pytest.mark.parametrize("batches", [1, 500])
def test_fourteen_silent_days_with_executions_at_their_end_complete_no_soak(
    rolling: Rolling, batches: int
) -> None:
    rolling.advance_to(5)
    rolling.service.clock.advance(14 * DAY)
    rolling.service.runs(batches)
    rolling.plane.tick()
    assert (rolling.now.state, rolling.now.proposal) == ("soaking", None)
    assert "bake_time: 14d of 14d to go" in rolling.now.reason
    assert elapsed_us(rolling) == 0


def test_executions_at_the_two_ends_of_a_wave_do_not_bake_it(rolling: Rolling) -> None:
    rolling.service.runs(50)
    rolling.service.clock.advance(24 * HOUR)
    rolling.service.runs(51)
    rolling.plane.tick()
    assert rolling.now.proposal is None
    waiting = [j.criterion for j in rolling.now.judgements if j.verdict != "PASS"]
    assert waiting == ["critical_alerts", "bake_time"]
    assert elapsed_us(rolling) == 0


@pytest.mark.parametrize(("gap", "held"), [(15 * MINUTE, HOUR), (15 * MINUTE + 1, 0)])
def test_a_gap_counts_up_to_the_longest_silence_of_the_plan(
    hour: Rolling, gap: int, held: int
) -> None:
    for _ in range(4):
        hour.service.clock.advance(gap)
        hour.service.runs(30)
    assert elapsed_us(hour) == held
    hour.plane.tick()
    assert (hour.now.proposal is not None) == (held == HOUR)


def test_after_a_silence_the_clock_goes_on_where_it_stopped(hour: Rolling) -> None:
    clock, service = hour.service.clock, hour.service
    for _ in range(2):
        clock.advance(30 * MINUTE - SECOND)
        service.runs(60, over=30 * MINUTE - SECOND)
        clock.advance(3 * DAY)
        service.runs(1)
    assert elapsed_us(hour) == HOUR - 2 * SECOND
    hour.plane.tick()
    assert hour.now.proposal is None
    clock.advance(2 * SECOND)
    hour.plane.tick()
    assert hour.now.proposal is not None


def test_a_plan_says_itself_how_long_a_silence_counts(service: Service) -> None:
    patient = {**plan(), "max_silence": "1h"}
    rollout = service.plane.rollouts.start(patient, flag=FLAG, actor=ENGINEER).id
    service.clock.advance(HOUR)
    service.runs(100)
    service.plane.tick()
    assert service.plane.rollouts.get(rollout).proposal is not None


def test_the_old_path_and_who_was_turned_away_do_not_break_the_silence(hour: Rolling) -> None:
    hour.service.clock.advance(HOUR)
    hour.service.runs(60, over=HOUR, cohort="off")
    hour.service.runs(60, over=HOUR, outcome="rejected")
    hour.service.runs(100)
    assert elapsed_us(hour) == 0
