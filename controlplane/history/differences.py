"""What speaks against a record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in the record that does not come out the same, or had no leave."""

    position: int
    """Of the event that recorded it."""
    what: str
    """`verdict`, `reason`, `evidence`, `proposal`, `time`, `evaluator`, `approval`, or `criterion`
    and its name."""
    recorded: str
    recomputed: str
