"""One run of the code behind a flag, timed and recorded."""

import logging
from collections.abc import Callable
from time import perf_counter_ns
from traceback import format_exception_only
from types import TracebackType
from typing import Any, Self

from controlplane.bucketing import Explanation

logger = logging.getLogger(__name__)

_LONGEST_ERROR = 2_000


class Run:
    """What `with client.measure(…) as run` gives.

    It is recorded when the block ends: as succeeded, or as failed where an exception leaves it,
    which goes on its way. What is no `Exception`, such as a cancellation, tells nothing about the
    code, and is not recorded.
    """

    def __init__(
        self,
        record: Callable[..., bool],
        answer: Explanation,
        stopwatch: Callable[[], int] = perf_counter_ns,
    ) -> None:
        self.answer = answer
        self.recorded = False
        """Whether it was accepted, once the block has ended."""
        self._record = record
        self._stopwatch = stopwatch
        self._began = 0
        self._outcome = "succeeded"
        self._error = ""
        self._fields: dict[str, Any] = {}

    @property
    def enabled(self) -> bool:
        """Whether to run the new code."""
        return self.answer.enabled

    def add(self, **fields: Any) -> None:
        """Tell more: `replace=2`, `patches_applied=2`, `violations={"order": 1}`, `duration_us`."""
        self._fields.update(fields)

    def fail(self, error: str) -> None:
        """It failed, though no exception says so."""
        self._outcome, self._error = "failed", error

    def reject(self, error: str) -> None:
        """It was not tried."""
        self._outcome, self._error = "rejected", error

    def __enter__(self) -> Self:
        self._began = self._stopwatch()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        duration_us = (self._stopwatch() - self._began) // 1000
        if isinstance(error, Exception):
            self.fail("".join(format_exception_only(error)).strip())
        elif error is not None:
            return
        told = self._error.encode("utf-8", "replace").decode()[:_LONGEST_ERROR]
        fields = {"outcome": self._outcome, "error": told, "duration_us": duration_us}
        try:
            self.recorded = self._record(self.answer, **fields | self._fields)
        except (TypeError, ValueError):
            # The work is done: what was told wrongly about it must not undo it.
            logger.exception("a run under flag %s could not be recorded", self.answer.flag)
