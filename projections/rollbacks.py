"""Whether clients have left the new code."""

import msgspec

from events.executions import BatchExecuted
from events.timestamps import Timestamp


class AfterRollback(msgspec.Struct):
    """What clients report since a rollback took the flag off."""

    started_at: Timestamp
    on: int = 0
    """Executions of the new code that happened since."""
    last_on_at: Timestamp = 0
    last_heard_at: Timestamp = 0
    """When an execution of the new code was last recorded, whenever it says that it happened: a
    client's clock may be slow."""
    last_off_at: Timestamp = 0
    """When the old path was last reported."""
    superseded: bool = False
    """The flag is on again."""

    def note(self, execution: BatchExecuted, at: Timestamp, heard_at: Timestamp) -> None:
        """Count one execution that was reported since."""
        if execution.cohort == "on" and execution.outcome != "rejected":
            self.last_heard_at = max(self.last_heard_at, heard_at)
            if at > self.started_at:
                self.on += 1
                self.last_on_at = max(self.last_on_at, at)
        else:
            self.last_off_at = max(self.last_off_at, at)
