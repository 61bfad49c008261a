"""A rehearsal as JSON has it, and in sentences."""

import msgspec

from controlplane.durations import by_the_second, rough_duration
from controlplane.rehearsal.outcomes import Beyond, Outcome, Stop
from controlplane.rehearsal.tallies import Rehearsal
from controlplane.views import Json, moment
from events.timestamps import MINUTE

_SAID = {
    "rolled_back": "rolled back",
    "held": "not promoted",
    "waited": "not promoted yet",
    "narrower": "served to fewer",
}


def rehearsal_view(rehearsal: Rehearsal) -> Json:
    """A line for each rulebook, then each case under each of them."""
    return {
        "environment": rehearsal.environment,
        "position": rehearsal.position,
        "tallies": [msgspec.to_builtins(tally) for tally in rehearsal.tallies],
        "outcomes": [outcome_view(outcome) for outcome in rehearsal.outcomes],
    }


def outcome_view(outcome: Outcome) -> Json:
    """What one rulebook would have made of one case."""
    case = outcome.case
    return {
        "rulebook": outcome.rulebook,
        "flag": case.flag,
        "rollout": case.rollout or None,
        "start": case.start,
        "end": case.end,
        "went_wrong": case.went_wrong,
        "answer": outcome.answer,
        "sentence": sentence(outcome),
        "reason": reason(outcome),
        "decisions": outcome.decisions,
        "identical": outcome.identical,
        "stops": [_place_view(stop) | {"kind": stop.kind} for stop in outcome.stops],
        "beyond": _place_view(outcome.beyond) if outcome.beyond else None,
        "earlier_us": outcome.earlier_us,
        "saved": msgspec.to_builtins(outcome.saved),
        "recorded_stop_at": moment(outcome.recorded_stop_at),
        "recorded_failed": outcome.recorded_failed,
        "alerts": outcome.alerts,
        "departures": [
            msgspec.to_builtins(one) | {"at": moment(one.at)} for one in outcome.departures
        ],
    }


def sentence(outcome: Outcome) -> str:
    """The answer, in a line: `exact, rolled back in wave 2, 13min before the record was`."""
    if outcome.answer == "same":
        return f"same, {_count(outcome.decisions, 'decision')} taken again{_but(outcome)}"
    if not outcome.stops:
        wave = f" in wave {outcome.beyond.wave}" if outcome.beyond and outcome.beyond.wave else ""
        return f"unknown, it goes further than the data{wave}"
    first, earlier = outcome.stops[0], outcome.earlier_us or 0
    told = by_the_second(earlier) if earlier >= MINUTE else rough_duration(earlier)
    than = f", {told} before the record was rolled back" if earlier > 0 else ""
    where = f" in wave {first.wave}" if first.wave else ""
    return f"exact, {_SAID[first.kind]}{where}{than}"


def reason(outcome: Outcome) -> str:
    """Why; empty where nothing is otherwise."""
    if outcome.stops:
        return outcome.stops[0].reason
    return outcome.beyond.reason if outcome.beyond else ""


def stop_sentence(stop: Stop) -> str:
    """How it stops."""
    return f"{_SAID[stop.kind]}: {stop.reason}"


def saved_sentence(outcome: Outcome) -> str:
    """What would not have run."""
    saved = outcome.saved
    least = "at least " if saved.bound else ""
    users = _count(saved.units, "user")
    return (
        f"{least}{saved.failed} of {outcome.recorded_failed} failed executions would not have run, "
        f"{users} would have met none; {saved.executions} executions of the new code in all"
    )


def _but(outcome: Outcome) -> str:
    """What differs all the same."""
    return f"; {len(outcome.departures)} otherwise, below" if outcome.departures else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _place_view(place: Stop | Beyond) -> Json:
    return {
        "position": place.position,
        "at": moment(place.at),
        "wave": place.wave,
        "reason": place.reason,
    }
