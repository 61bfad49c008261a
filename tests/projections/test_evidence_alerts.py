"""What others say about a wave: alerts, and answers from outside."""

import pytest

from projections.evidence import EVIDENCE, Evidence
from projections.waves import Answer
from tests.projections.recording import START, Told, at, told
from tests.projections.rollout_events import (
    alert,
    answered,
    entered,
    resolved,
    rollback,
    soak,
    started,
)


def evidence_after(*history: Told) -> Evidence:
    return EVIDENCE.fold("checkout", told(*history))


def test_critical_alerts_are_kept_and_lesser_ones_are_not() -> None:
    evidence = evidence_after(
        started(), entered(), alert("warning"), alert("info"), alert(number=2), alert(number=3)
    )
    assert evidence.waves[0].critical_alerts == ["checkout/RULE/2", "checkout/RULE/3"]


def test_a_wave_begins_with_the_critical_alerts_that_are_open() -> None:
    waves = evidence_after(
        *(alert(number=1), alert(number=2), resolved(1), alert("warning", 3)),
        *(started(), entered(1), alert(number=4)),
        *(entered(2), resolved(2), soak()),
    ).waves
    assert [wave.critical_alerts for wave in waves] == [
        ["checkout/RULE/2", "checkout/RULE/4"],
        ["checkout/RULE/2", "checkout/RULE/4"],
        ["checkout/RULE/4"],
    ]


def test_the_alerts_a_wave_begins_with_have_one_order_whatever_was_stored_between() -> None:
    """A stored state has its keys sorted; a state in memory has them as they came."""
    *before, last = told(alert(number=2), alert(number=1), started(), entered())
    live = EVIDENCE.fold("checkout", before)
    stored = EVIDENCE.decode(EVIDENCE.encode(live))
    waves = [EVIDENCE.evolve(state, last).waves for state in (stored, live)]
    assert waves[0] == waves[1]


def test_what_was_raised_in_a_wave_stays_in_it_though_it_be_resolved() -> None:
    evidence = evidence_after(started(), entered(), alert(), resolved())
    assert evidence.waves[0].critical_alerts == ["checkout/RULE/1"]
    assert evidence.open_alerts == {}


def test_open_alerts_are_known_between_rollouts_too() -> None:
    lesser = (alert("warning", 2), alert("info", 3))
    evidence = evidence_after(started(), entered(), rollback, alert(), *lesser, resolved(7))
    assert evidence.open_alerts == {"checkout/RULE/1": "critical", "checkout/RULE/2": "warning"}
    assert EVIDENCE.fold("checkout", told(started("checkout-r2")), evidence).open_alerts


# Answers


def answers(*history: Told) -> list[dict[str, str]]:
    waves = evidence_after(started(), entered(), *history).waves
    return [{name: one.verdict for name, one in wave.answers.items()} for wave in waves]


def test_the_latest_answer_counts() -> None:
    (wave,) = evidence_after(
        started(), entered(), answered("INCONCLUSIVE"), at(5, answered("PASS"))
    ).waves
    assert wave.answers == {"load_test": Answer("PASS", "1,000/s", START + 5)}


def test_each_criterion_has_its_own() -> None:
    history = (answered("PASS"), answered("NO_DATA", criterion="other"))
    assert answers(*history) == [{"load_test": "PASS", "other": "NO_DATA"}]


@pytest.mark.parametrize("wave", [0, 1, 3])
def test_an_answer_about_another_wave_is_not_for_this_one(wave: int) -> None:
    history = (answered("PASS", wave=1), entered(2), answered("PASS", wave=wave))
    assert answers(*history) == [{"load_test": "PASS"}, {}]


def test_the_soak_is_answered_as_the_wave_after_the_last_one() -> None:
    assert answers(soak(), answered("PASS", wave=2)) == [{}, {"load_test": "PASS"}]


def test_a_failure_stands_whatever_is_answered_later() -> None:
    assert answers(answered("FAIL"), answered("PASS")) == [{"load_test": "FAIL"}]
