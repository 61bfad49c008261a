"""`controlplane serve`: the API, the scheduler and the metrics, until it is told to stop."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from controlplane.cli.output import line, opened
from controlplane.errors import InvalidInput
from controlplane.http.gate import GateSettings, is_loopback
from controlplane.http.hub import StreamSettings
from controlplane.http.server import ApiServer, Listening
from controlplane.metrics_server import MetricsServer
from controlplane.plane import ControlPlane
from controlplane.scheduler import Intervals, Scheduler
from controlplane.settings import Settings, load

_LOOKS_UP_SECONDS = 0.1
_STOPS_SECONDS = 4.5
"""From the signal on: who is stopped by a supervisor is killed sooner or later."""


def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="Where the API listens.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Its port; 0: any free one.", show_default="9000"),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port of /metrics.", show_default="9090"),
    ] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="Ask nobody for a token. On this machine only.")
    ] = False,
    tls_certificate: Annotated[str, typer.Option(help="A certificate chain, in PEM.")] = "",
    tls_key: Annotated[str, typer.Option(help="Its private key, in PEM.")] = "",
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="TLS ends at a proxy that is trusted.")
    ] = False,
) -> None:
    """Run the API, the scheduler and /metrics until interrupted."""
    given = Listening(
        host=host or load().http_host,
        port=load().http_port if port is None else port,
        certificate=tls_certificate or load().tls_certificate,
        key=tls_key or load().tls_key,
        behind_proxy=behind_proxy,
        trusted_proxies=load().trusted_proxies,
    )
    with opened() as plane:
        service = Service(plane, load(), given, metrics_port=metrics_port, dev=dev)
        with _told_to_stop() as told:
            service.start()
            # An Event would not do: its wait() may sleep through a signal, its set() lock itself
            # out.
            while not told:
                time.sleep(_LOOKS_UP_SECONDS)
            service.close()


class Service:
    """Everything that `serve` runs on one plane."""

    def __init__(
        self,
        plane: ControlPlane,
        settings: Settings,
        listening: Listening,
        *,
        metrics_port: int | None,
        dev: bool,
    ) -> None:
        self._plane = plane
        self._dev = dev
        gate = GateSettings(
            dev=dev,
            requests_per_second=settings.requests_per_second,
            burst=5 * settings.requests_per_second,
            streams_per_token=settings.streams_per_token,
        )
        streams = StreamSettings(
            heartbeat_seconds=settings.stream_heartbeat_seconds,
            stall_seconds=settings.stream_stall_seconds,
        )
        self._metrics_host = settings.metrics_host
        if not (is_loopback(settings.metrics_host) or settings.metrics_open):
            raise InvalidInput(
                reason=f"/metrics asks for no token; to have it at {settings.metrics_host} all the "
                "same, set CONTROLPLANE_METRICS_OPEN=true, or scrape /metrics of the API"
            )
        self._metrics = MetricsServer(
            plane,
            settings.metrics_host,
            settings.metrics_port if metrics_port is None else metrics_port,
            legacy=settings.legacy_metrics,
        )
        try:
            self._api = ApiServer(plane, listening, gate, streams)
        except BaseException:
            self._metrics.close()
            raise
        self._scheduler = Scheduler(
            plane,
            Intervals(
                evaluation=settings.evaluation_interval_seconds,
                alerts=settings.alert_interval_seconds,
                projections=settings.projection_interval_seconds,
                webhooks=settings.webhook_interval_seconds,
            ),
        )

    def start(self) -> None:
        """Begin to answer, and to look; say where, and hand out the first token."""
        self._metrics.start()
        self._api.start()
        self._scheduler.start()
        plane = self._plane
        if self._dev:
            line("Open to everybody on this machine (--dev).")
        elif (first := plane.access.first_token()) is not None:
            line(f"First token, shown once, for an admin, valid for 24 h: {first.text}")
            line(
                "Issue others by it, to people by name: controlplane access issue --owner NAME "
                "--role approver"
            )
        looks = plane.schedule()
        if looks is not None and looks.holder != self._scheduler.holder:
            line(f"{looks.holder} has the lease; this one stands by until it is free.")
        # Last: whoever waits for it to be ready waits for this line.
        line(
            f"Environment {plane.environment} of {plane.safe_url}: API at {self._api.url}, metrics "
            f"at http://{self._metrics_host}:{self._metrics.port}/metrics. Ctrl+C stops."
        )
        sys.stdout.flush()

    def close(self) -> None:
        """Finish what runs, within bounds: a supervisor kills who takes too long."""
        self._plane.access.denials.settle()
        closing = [
            threading.Thread(target=close, daemon=True)
            for close in (self._api.close, self._scheduler.close, self._metrics.close)
        ]
        ends = time.monotonic() + _STOPS_SECONDS
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(max(0.0, ends - time.monotonic()))
        if any(thread.is_alive() for thread in closing):
            line("A look did not end in time; what it found is found again at the next start.")
            sys.stdout.flush()
            os._exit(0)


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """What signals said; those that were there before are put back."""
    told: list[int] = []
    before = {
        name: signal.signal(name, lambda number, _: told.append(number))
        for name in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield told
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
