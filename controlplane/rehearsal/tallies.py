"""Rulebooks side by side over many cases, with both errors: what they miss, what they halt."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from controlplane.rehearsal.outcomes import Outcome


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What one rulebook would have made of all cases."""

    rulebook: str
    same: int
    exact: int
    unknown: int
    wrong: int
    """Cases that went wrong in the record."""
    caught_earlier: int
    """Of these, those that it halts earlier, because something failed."""
    caught_alike: int
    """Of these, those that it stops where the record did."""
    not_told: int
    """Of these, those in which the data end before it halts: it may have missed them."""
    held_up: int
    """Of these, those that it only kept from going on, or served to fewer."""
    failed_saved: int
    """Failed executions that would not have run, of `failed` in the cases that went wrong."""
    units_saved: int
    failed: int
    quiet: int
    """Cases in which nothing went wrong."""
    false_alarms: int
    """Of these, those that it rolls back, or does not promote for something that failed."""
    delayed: int
    """Of these, those that it promotes later, or serves to fewer."""
    alerts: int
    """Critical and warning alerts that only it raises, in quiet cases."""


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What came of it."""

    outcomes: tuple[Outcome, ...]
    """By case, each with every rulebook in turn."""
    environment: str
    position: int
    """The log position up to which the record goes."""

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """A line for each rulebook."""
        names = dict.fromkeys(one.rulebook for one in self.outcomes)
        return tuple(
            tally(name, [one for one in self.outcomes if one.rulebook == name]) for name in names
        )


def tally(rulebook: str, outcomes: Sequence[Outcome]) -> Tally:
    """Count the outcomes of one rulebook."""
    wrong = [one for one in outcomes if one.case.went_wrong]
    quiet = [one for one in outcomes if not one.case.went_wrong]
    found = Counter(map(_of_wrong, wrong))
    return Tally(
        rulebook=rulebook,
        same=_answered(outcomes, "same"),
        exact=_answered(outcomes, "exact"),
        unknown=_answered(outcomes, "unknown"),
        wrong=len(wrong),
        caught_earlier=found["earlier"],
        caught_alike=found["alike"],
        not_told=found["not told"],
        held_up=found["held up"],
        failed_saved=sum(one.saved.failed for one in wrong),
        units_saved=sum(one.saved.units for one in wrong),
        failed=sum(one.recorded_failed for one in wrong),
        quiet=len(quiet),
        false_alarms=sum(one.halts for one in quiet),
        delayed=sum(bool(one.stops) and not one.halts for one in quiet),
        alerts=sum(one.alerts for one in quiet),
    )


def _answered(outcomes: Iterable[Outcome], answer: str) -> int:
    return sum(one.answer == answer for one in outcomes)


def _of_wrong(outcome: Outcome) -> Literal["earlier", "alike", "not told", "held up"]:
    if outcome.halts:
        return "earlier" if outcome.halts_earlier else "alike"
    if outcome.answer == "same":
        return "alike"
    return "not told" if outcome.beyond is not None else "held up"
