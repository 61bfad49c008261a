"""One scrape: the metrics of a plane, or why there are none at the moment."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from controlplane.exposition import PlaneCollector
from controlplane.plane import ControlPlane

MOST_EVENTS_BEHIND = 10_000
"""A scrape folds that many events at the most before it answers."""
_STILL_SECONDS = 15.0
"""A rebuild that has not moved for so long was killed."""


class Scrapes:
    """Answers scrapes of one plane.

    None is better than a wrong one: a counter that jumped while it was computed again would look
    like a burst of traffic, a gap does not.
    """

    def __init__(
        self,
        plane: ControlPlane,
        *,
        legacy: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plane = plane
        self._monotonic = monotonic
        self._moved: dict[tuple[str, int], tuple[int, float]] = {}
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(PlaneCollector(plane, legacy=legacy))

    def refusal(self) -> str | None:
        """Why there are no metrics at the moment, if so. Raises LogUnavailable."""
        behind = max((lag.events for lag in self._plane.projections.lag()), default=0)
        if behind > MOST_EVENTS_BEHIND:
            return f"Catching up: {behind} events behind."
        if (name := self._rebuilding()) is not None:
            return f"The read model {name} is being computed again."
        return None

    def text(self, accept: str) -> tuple[bytes, str]:
        """The metrics, and the content type in which they were asked for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _rebuilding(self) -> str | None:
        """The read model that is being computed again by anybody: its build moves."""
        now, running = self._monotonic(), self._plane.projections.rebuilds()
        known = self._moved
        self._moved = {}
        for build in running:
            key = (build.projection, build.build)
            position, at = known.get(key, (-1, now))
            self._moved[key] = (build.position, at if build.position == position else now)
        return next(
            (name for (name, _), (_, at) in self._moved.items() if now - at < _STILL_SECONDS), None
        )
