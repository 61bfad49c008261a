"""A read model is computed again beside the one in use, then they are switched."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from events.errors import ControlPlaneError
from events.log import EventLog
from projections.projection import Projection
from projections.rows import Build, Rows, active_build
from projections.runner import StateCache, fold_into, new_build

_BATCH = 5000


class RebuildSuperseded(ControlPlaneError):
    """Another rebuild of {projection} began and took this one's place."""

    status = HTTPStatus.CONFLICT


def rebuild(
    log: EventLog,
    rows: Rows,
    projection: Projection[Any],
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Build:
    """Fold the whole log into a new build and make it the active one. Reads never stop.

    `progress(position, head)` is called after every batch. Killed halfway, it leaves a build
    that the next rebuild drops.
    """
    build = _begin(rows, projection)
    cache = StateCache()
    while True:
        events = log.read(build.position, _BATCH)
        with rows.write() as transaction:
            builds = transaction.builds()
            if build not in builds:
                raise RebuildSuperseded(projection=projection.name)
            if events:
                build = fold_into(transaction, projection, build, events, cache)
            current = active_build(projection, builds)
            # Never behind what readers see already: the runner may have gone on meanwhile.
            if len(events) < _BATCH and (current is None or build.position >= current.position):
                for old in _siblings(projection, builds, build):
                    transaction.drop(old)
                build = replace(build, active=True)
                transaction.put(build)
                return build
        progress(build.position, log.head().position)


def _begin(rows: Rows, projection: Projection[Any]) -> Build:
    with rows.write() as transaction:
        builds = transaction.builds()
        for left in _siblings(projection, builds):
            if not left.active:
                transaction.drop(left)
        build = new_build(projection, builds, active=False)
        transaction.put(build)
    return build


def _siblings(
    projection: Projection[Any], builds: list[Build], but: Build | None = None
) -> Iterator[Build]:
    """Other builds of the same version. Those of other versions may serve another release."""
    for build in builds:
        if (build.projection, build.version) == (projection.name, projection.version) and (
            but is None or build.build != but.build
        ):
            yield build


def prune(rows: Rows, projections: list[Projection[Any]]) -> list[Build]:
    """Drop the builds that this release does not read; what was dropped."""
    with rows.write() as transaction:
        builds = transaction.builds()
        kept = [active_build(projection, builds) for projection in projections]
        gone = [build for build in builds if build not in kept]
        for build in gone:
            transaction.drop(build)
    return gone
