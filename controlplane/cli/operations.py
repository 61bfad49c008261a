"""`controlplane projections …`, `db …`: its tables."""

from typing import Annotated

import typer

from controlplane.cli.output import (
    Json,
    console,
    line,
    opened,
    print_json,
    print_table,
    progress,
    say,
)
from controlplane.migrations.upgrade import HEAD
from controlplane.operating_views import comparison_view
from controlplane.views import lag_view
from projections.catalog import PROJECTIONS
from projections.verifying import Comparison, Difference

projections = typer.Typer(
    help="Read models: how far they are; compute them again.", no_args_is_help=True
)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)


@projections.command()
def status(*, as_json: Json = False) -> None:
    """Show how far each read model is behind the log."""
    with opened() as plane:
        lags = plane.projections.lag()
    if as_json:
        print_json([lag_view(lag) for lag in lags])
        return
    rows = [
        (lag.projection, lag.version, lag.position, lag.events, f"{lag.seconds:.1f}")
        for lag in lags
    ]
    print_table(("projection", "version", "position", "events behind", "seconds behind"), rows, "")


@projections.command()
def rebuild(
    name: Annotated[str | None, typer.Argument(help="Default: all of them.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Compute a read model again beside the one in use, then switch. Reads go on meanwhile."""
    built = []
    with opened() as plane:
        for one in [name] if name else list(PROJECTIONS):
            with progress(f"rebuilding {one}") as moved:
                built.append(plane.projections.rebuild(one, moved))
    if as_json:
        print_json([{"projection": b.projection, "position": b.position} for b in built])
        return
    for build in built:
        console.print(f"{build.projection} rebuilt up to position {build.position}")


@projections.command()
def verify(*, as_json: Json = False) -> None:
    """Fold the log anew and compare read models and snapshots; exit with 1 where they differ."""
    with opened() as plane, progress("folding the log anew") as moved:
        found = plane.projections.verify(moved)
    if as_json:
        print_json(comparison_view(found))
    else:
        _print_comparison(found)
    if not found.identical:
        raise typer.Exit(1)


def _print_comparison(found: Comparison) -> None:
    rows = sum(one.rows for one in found.models)
    marks = sum(one.marks for one in found.models)
    outcome = "identical" if found.identical else f"{len(found.differences)} differ"
    line(
        f"{len(found.models)} read models with {rows} rows, and {marks} snapshots of them, held to "
        f"the log: {outcome}"
    )
    for one in found.differences:
        line(_difference(one))
    for name in dict.fromkeys(one.projection for one in found.differences):
        line(f"once you have found out who did it: controlplane projections rebuild {name}")


def _difference(one: Difference) -> str:
    what = f"{one.kept} {one.key!r}" if one.key else f"all {one.kept}s"
    return f"{one.projection}, {what}, as of position {one.position}: {_FOUND[one.found]}"


_FOUND = {
    "altered": "not what the log comes to",
    "missing": "the log comes to one, and it is not there",
    "extra": "the log comes to no such row",
    "ahead": "the log does not reach that far",
    "twice": "a second build is in use",
}


@projections.command()
def snapshot(*, as_json: Json = False) -> None:
    """Take the snapshots that are missing: from them, any moment is a fraction of a second away."""
    with opened() as plane, progress("taking snapshots") as moved:
        mark = plane.projections.take_snapshots(moved)
    say(f"snapshots up to position {mark}", as_json, lambda: {"position": mark})


@projections.command()
def prune(*, as_json: Json = False) -> None:
    """Drop builds that other releases left behind. Only when none of them runs any more."""
    with opened() as plane:
        gone = plane.projections.prune()
    say(
        f"{len(gone)} builds dropped",
        as_json,
        lambda: [{"projection": b.projection, "version": b.version} for b in gone],
    )


@db.command()
def upgrade(*, as_json: Json = False) -> None:
    """Bring the database to the schema of this release. Opening it does the same."""
    with opened(may_create=True) as plane:
        url = plane.safe_url
    say(f"{url} is at schema {HEAD}", as_json, lambda: {"url": url, "schema": HEAD})
