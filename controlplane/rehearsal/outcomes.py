"""What comes of a rehearsal: the same, an exact earlier stop, or something the data do not tell."""

from dataclasses import dataclass
from typing import Literal

from events.timestamps import Timestamp

Answer = Literal["same", "exact", "unknown"]
StopKind = Literal["rolled_back", "held", "waited", "narrower"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A stretch of the record that is decided again: a rollout, or a flag that had none."""

    flag: str
    rollout: str = ""
    """Empty: the flag was served by hand; only alert rules decide."""
    start: int
    """The log position after which it begins."""
    end: int
    """The log position with which it ends."""
    began_at: Timestamp = 0
    """When the new code was first served in it."""
    ended_at: Timestamp = 0
    """When the rollout was over; 0 where it is not, or there is none."""
    went_wrong: bool = False
    """Whether there was an incident on its flag, or it was rolled back."""

    @property
    def name(self) -> str:
        """The rollout, or `FLAG by hand`."""
        return self.rollout or f"{self.flag} by hand"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """The new code would have been served to fewer units from here on."""

    kind: StopKind
    """`rolled_back`: the flag goes off. `held`: something failed, or an alert was open, so it was
    not promoted where it was. `waited`: it was not promoted, for time or evidence was lacking.
    `narrower`: its wave serves fewer."""
    position: int
    """The log position up to which everything was known to the decision."""
    at: Timestamp
    wave: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """Up to here the record tells what would have been; from here on it does not."""

    position: int
    at: Timestamp
    wave: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What was recorded of the new code and would not have run, up to where it can be told."""

    executions: int = 0
    failed: int = 0
    units: int = 0
    """Units for which something failed, and would not have."""
    bound: bool = False
    """Whether more may have been saved after what can be told."""


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A decision that differs without altering what was served."""

    position: int
    at: Timestamp
    recorded: str
    rehearsed: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one rulebook would have made of one case."""

    case: Case
    rulebook: str
    answer: Answer
    decisions: int
    """Recorded decisions that were taken again."""
    identical: int
    """Of these, those that came out the same to the letter."""
    stops: tuple[Stop, ...] = ()
    """How it would have stopped, the first one first; it is what makes the answer exact."""
    beyond: Beyond | None = None
    """Where it would have gone further than the data, or what comes after a stop is not told."""
    saved: Saved = Saved()
    recorded_stop_at: Timestamp | None = None
    """When the record switched the flag off."""
    recorded_failed: int = 0
    """Executions of the new code that failed, in the whole of the record."""
    alerts: int = 0
    """Critical and warning alerts that its rules raise and the record's did not."""
    departures: tuple[Departure, ...] = ()

    @property
    def earlier_us(self) -> int | None:
        """How much earlier it stops than the record did; None where the record did not."""
        if not self.stops or self.recorded_stop_at is None:
            return None
        return self.recorded_stop_at - self.stops[0].at

    @property
    def halts(self) -> bool:
        """Whether it stops because something failed, not only for want of time or evidence."""
        return any(stop.kind in ("rolled_back", "held") for stop in self.stops)

    @property
    def halts_earlier(self) -> bool:
        """Whether it does so before the record stopped, if that did."""
        halt = next((one for one in self.stops if one.kind in ("rolled_back", "held")), None)
        end = self.recorded_stop_at
        return halt is not None and (end is None or halt.at < end)
