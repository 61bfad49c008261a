"""`controlplane projections …`, `db …`, `serve`: running it."""

import signal
import time
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
from controlplane.metrics_server import MetricsServer
from controlplane.migrations.upgrade import HEAD
from controlplane.scheduler import Intervals, Scheduler
from controlplane.settings import load
from controlplane.views import lag_view
from projections.catalog import PROJECTIONS

projections = typer.Typer(
    help="Read models: how far they are; compute them again.", no_args_is_help=True
)
db = typer.Typer(help="The database's schema.", no_args_is_help=True)

_LOOKS_UP_SECONDS = 0.2


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
    with opened() as plane:
        url = plane.safe_url
    say(f"{url} is at schema {HEAD}", as_json, lambda: {"url": url, "schema": HEAD})


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Where /metrics listens.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Its port; 0: any free one.")
    ] = None,
) -> None:
    """Run the scheduler and /metrics until interrupted."""
    settings = load()
    with opened() as plane:
        metrics = MetricsServer(
            plane,
            settings.metrics_host if host is None else host,
            settings.metrics_port if port is None else port,
            legacy=settings.legacy_metrics,
        )
        scheduler = Scheduler(
            plane,
            Intervals(
                evaluation=settings.evaluation_interval_seconds,
                alerts=settings.alert_interval_seconds,
                projections=settings.projection_interval_seconds,
            ),
        )
        stopped: list[int] = []
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda number, _: stopped.append(number))
        metrics.start()
        scheduler.start()
        line(
            f"Environment {plane.environment} of {plane.safe_url}: metrics at "
            f"http://{settings.metrics_host if host is None else host}:{metrics.port}/metrics. "
            "Ctrl+C stops."
        )
        looks = plane.schedule()
        if looks is not None and looks.holder != scheduler.holder:
            line(f"{looks.holder} has the lease; this one stands by until it is free.")
        # An Event would not do: its wait() may sleep through a signal, its set() lock itself out.
        while not stopped:
            time.sleep(_LOOKS_UP_SECONDS)
        scheduler.close()
        metrics.close()
