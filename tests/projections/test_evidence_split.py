"""Which share of the units took the new path, since clients could follow the flag."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import EVERYONE
from events.flags import FlagEnabled
from events.timestamps import HOUR, MINUTE
from projections.arms import Split
from projections.evidence import EVIDENCE
from projections.projection import canonical
from projections.waves import WaveEvidence
from tests.projections.flag_events import BETA, enabled, exposed
from tests.projections.recording import START, Told, at, execution, told
from tests.projections.rollout_events import SETTLE, entered, rollback, soak, started

SETTLED = MINUTE


def waves_after(*history: Told) -> list[WaveEvidence]:
    begun = entered(audience=BETA, percentage=10)
    return EVIDENCE.fold("checkout", told(started(), begun, *history)).waves


def split_after(*history: Told) -> tuple[int, int]:
    """Units on the new path and on the old one, in a wave for beta that began at START."""
    (wave,) = waves_after(*history)
    return wave.split.on, wave.split.off


def unit(number: int, cohort: str = "on", **facts: str) -> Told:
    """A unit of beta, long after the wave began."""
    return at(SETTLED, execution(unit=f"u{number}", cohort=cohort, **{"audience": "beta"} | facts))


def test_units_are_counted_on_the_path_they_took() -> None:
    assert split_after(unit(1), unit(2, "off"), unit(3, "off")) == (1, 2)


def test_one_unit_counts_once_where_it_was_first_seen() -> None:
    assert split_after(unit(1), unit(1), unit(1, "off"), unit(2, "off"), unit(2)) == (1, 1)


def test_who_was_turned_away_counts_on_the_old_path_and_in_the_split_only() -> None:
    (wave,) = waves_after(unit(1, outcome="rejected"), unit(2, "off", outcome="rejected"))
    assert (wave.split.on, wave.split.off) == (0, 2)
    assert (wave.own.executions, wave.control.executions, wave.last_at) == (0, 0, 0)


@pytest.mark.parametrize("audience", ["", "internal", "everyone"])
def test_only_who_says_that_he_is_of_the_audience_is_in_its_split(audience: str) -> None:
    assert split_after(unit(1, audience=audience)) == (0, 0)


@pytest.mark.parametrize(("audience", "counted"), [("", 1), ("everyone", 1), ("internal", 0)])
def test_those_of_an_earlier_wave_are_served_at_their_own_share(
    audience: str, counted: int
) -> None:
    history = told(started(), entered(audience=EVERYONE), unit(1, audience=audience))
    (wave,) = EVIDENCE.fold("checkout", history).waves
    assert (wave.split.on, wave.own.executions) == (counted, 1)


# Clients are given time to follow


def test_units_are_counted_when_clients_have_had_time_to_follow() -> None:
    early = at(SETTLE - 1, execution(unit="u1", cohort="off", audience="beta"))
    late = at(SETTLE, execution(unit="u1", audience="beta"))
    assert split_after(early) == (0, 0)
    assert split_after(early, late) == (1, 0)


def test_another_exposure_is_counted_anew_and_clients_have_time_again() -> None:
    changed = at(HOUR, exposed(5, BETA, before=10))
    assert split_after(unit(1), unit(2), changed) == (0, 0)
    (wave,) = waves_after(unit(1), changed)
    assert (wave.planned, wave.settled_at) == (5, START + HOUR + SETTLE)
    after = [
        at(HOUR + moment, execution(unit="u1", audience="beta")) for moment in (SETTLE - 1, SETTLE)
    ]
    assert split_after(unit(1), changed, after[0]) == (0, 0)
    assert split_after(unit(1), changed, *after) == (1, 0)


@pytest.mark.parametrize("other", [exposed(5, EVERYONE), enabled])
def test_what_concerns_another_audience_leaves_the_split_alone(other: Told) -> None:
    assert split_after(unit(1), other) == (1, 0)


def test_the_soak_counts_anew_though_the_exposure_is_the_same() -> None:
    first, last = waves_after(unit(1), soak(BETA, 10))
    assert (first.split.on, last.split.on, last.planned) == (1, 0, 10)


def test_a_wave_that_is_over_keeps_its_counts_and_forgets_whom_it_saw() -> None:
    first, _ = waves_after(unit(1), unit(2, "off"), soak(BETA, 10))
    assert first.split == Split(1, 1, b"")


# Counting units in little space


@given(st.lists(st.tuples(st.text(max_size=4), st.booleans()), max_size=60))
def test_no_unit_counts_twice_and_few_are_missed(seen: list[tuple[str, bool]]) -> None:
    split = Split()
    for name, on in seen:
        split.add(name, on=on)
    bits = {crc32(name.encode("utf-8", "surrogatepass")) % 8192 for name, _ in seen}
    assert split.on + split.off == len(bits) <= len({name for name, _ in seen})


def test_whom_it_missed_depends_on_no_path() -> None:
    """A bit that is taken is taken for both, so that the share is not bent."""
    one, other = (Split(), Split())
    for number in range(20_000):
        one.add(f"user-{number}", on=number % 4 == 0)
        other.add(f"user-{number}", on=number % 4 != 0)
    assert (one.on, one.off) == (other.off, other.on)
    assert one.on + one.off > 7_000
    assert one.on / (one.on + one.off) == pytest.approx(0.25, abs=0.03)


@given(st.integers(0, 20_000))
def test_it_stays_small_however_many_there_are(most: int) -> None:
    split = Split()
    for number in range(0, most, 50):
        split.add(f"u{number}", on=True)
    assert len(canonical(split)) < 1_500


# After a rollback


def test_what_clients_report_after_a_rollback_is_kept() -> None:
    evidence = EVIDENCE.fold(
        "checkout",
        told(
            started(),
            entered(),
            execution(),
            at(HOUR, rollback),
            at(HOUR, execution()),
            at(HOUR + 3, execution()),
            at(HOUR + 2, execution(cohort="off")),
            at(HOUR + 4, execution(outcome="rejected")),
        ),
    )
    after = evidence.rollback
    assert after is not None
    assert (after.started_at, after.on, after.superseded) == (START + HOUR, 1, False)
    assert (after.last_on_at, after.last_off_at) == (START + HOUR + 3, START + HOUR + 4)
    assert evidence.waves[0].executions == 1


def test_what_is_told_of_with_a_slow_clock_is_heard_all_the_same() -> None:
    history = [started(), entered(), at(HOUR, rollback), at(2 * HOUR, execution(cohort="off"))]
    after = EVIDENCE.fold("checkout", told(*history, at(MINUTE, execution()))).rollback
    assert after is not None
    assert (after.on, after.last_on_at, after.last_heard_at) == (0, 0, START + 2 * HOUR)


def test_a_flag_that_is_switched_on_again_is_no_longer_followed() -> None:
    again = FlagEnabled(flag="checkout", reason="")
    history = told(started(), entered(), rollback, again)
    after = EVIDENCE.fold("checkout", history).rollback
    assert after is not None
    assert after.superseded
