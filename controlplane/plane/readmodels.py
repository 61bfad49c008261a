"""`plane.projections`: how far the read models are, and computing them again."""

from collections.abc import Callable

from controlplane.plane.core import Core
from controlplane.projection_errors import ProjectionNotFound
from projections.catalog import PROJECTIONS
from projections.rebuild import prune, rebuild
from projections.rows import Build
from projections.runner import Lag
from projections.verifying import Comparison, compare


class ReadModels:
    """Everything here can be thrown away and computed again from the log."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def catch_up(self) -> int:
        """Fold what is new in the log; the position reached."""
        return self._core.runner.catch_up()

    def lag(self) -> list[Lag]:
        """How far each read model is behind the log."""
        return self._core.runner.lag(self._core.clock())

    def rebuild(
        self, name: str, progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> Build:
        """Compute one again beside the one in use, then switch; its snapshots are taken anew.

        Raises ProjectionNotFound.
        """
        if name not in PROJECTIONS:
            raise ProjectionNotFound(projection=name, projections=", ".join(PROJECTIONS))
        others = [one for one in PROJECTIONS.values() if one.name != name]
        self._core.history.snapshots.forget(but=others)
        return rebuild(self._core.log, self._core.rows, PROJECTIONS[name], progress)

    def verify(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Comparison:
        """Fold the whole log anew in memory, and compare rows and snapshots with what it comes to.

        It believes the log: whether that was altered, plane.verify() says.
        """
        core = self._core
        projections = list(PROJECTIONS.values())
        return compare(core.log, core.rows, core.history.snapshots, projections, progress)

    def take_snapshots(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> int:
        """Take the snapshots that are missing: questions to the past begin at them. The last one.

        `controlplane serve` does so by itself, and so does a question that finds none.
        """
        return self._core.history.take_snapshots(progress=progress)

    def rebuilds(self) -> list[Build]:
        """Builds that are not in use yet: of rebuilds that run, or were killed."""
        wanted = {(one.name, one.version) for one in PROJECTIONS.values()}
        builds = self._core.rows.builds()
        return [b for b in builds if not b.active and (b.projection, b.version) in wanted]

    def prune(self) -> list[Build]:
        """Drop builds that this release does not read, left by others; what was dropped.

        Snapshots that it does not read go, too.
        """
        self._core.history.snapshots.forget(but=PROJECTIONS.values())
        return prune(self._core.rows, list(PROJECTIONS.values()))
