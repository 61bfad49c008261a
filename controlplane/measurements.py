"""`plane.metrics`: what was measured."""

from controlplane.reading import Reading
from events.executions import Cohort
from events.timestamps import MINUTE, Timestamp
from projections.metrics import METRICS, TOTALS, Tally, minute_key


class Measurements:
    """Tallies of batch executions, by flag, cohort and minute."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def totals(self) -> dict[tuple[str, str], Tally]:
        """Everything ever recorded, by (flag, cohort)."""
        return {_split(key): tally for key, tally in self._reading.scan(TOTALS)}

    def total(self, flag: str, cohort: Cohort = "on") -> Tally:
        """Everything ever recorded of one flag and cohort."""
        return self._reading.get(TOTALS, f"{flag}/{cohort}")

    def minutes(
        self, flag: str, cohort: Cohort, since: Timestamp, until: Timestamp
    ) -> list[tuple[Timestamp, Tally]]:
        """The minutes that begin in [since, until), each with its tally; empty ones left out."""
        first = -(-since // MINUTE) * MINUTE
        rows = self._reading.scan(
            METRICS, minute_key(flag, cohort, first), minute_key(flag, cohort, until + MINUTE - 1)
        )
        return [(int(key.rpartition("/")[2]) * MINUTE, tally) for key, tally in rows]


def _split(key: str) -> tuple[str, str]:
    flag, _, cohort = key.rpartition("/")
    return flag, cohort
