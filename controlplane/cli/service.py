"""Everything that `serve` runs: the API, the scheduler, the metrics, on one plane."""

import os
import sys
import threading
import time

from controlplane.cli.output import line
from controlplane.errors import InvalidInput
from controlplane.http.gate import GateSettings
from controlplane.http.headers import is_loopback
from controlplane.http.hub import StreamSettings
from controlplane.http.server import ApiServer, Listening
from controlplane.metrics_server import MetricsServer
from controlplane.plane import ControlPlane
from controlplane.scheduler import Intervals, Scheduler
from controlplane.settings import Settings

_STOPS_SECONDS = 4.5
"""From the signal on: who is stopped by a supervisor is killed sooner or later."""


class Service:
    """Everything that `serve` runs on one plane."""

    def __init__(
        self, plane: ControlPlane, settings: Settings, *, dev: bool, behind_proxy: bool
    ) -> None:
        self._plane = plane
        self._dev = dev
        self._metrics_host = settings.metrics_host
        if not (is_loopback(settings.metrics_host) or settings.metrics_open):
            raise InvalidInput(
                reason=f"/metrics asks for no token; to have it at {settings.metrics_host} all the "
                "same, set CONTROLPLANE_METRICS_OPEN=true, or scrape /metrics of the API"
            )
        self._metrics = MetricsServer(
            plane,
            settings.metrics_host,
            settings.metrics_port,
            legacy=settings.legacy_metrics,
        )
        try:
            self._api = _api(plane, settings, dev=dev, behind_proxy=behind_proxy)
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


def _api(plane: ControlPlane, settings: Settings, *, dev: bool, behind_proxy: bool) -> ApiServer:
    listening = Listening(
        host=settings.http_host,
        port=settings.http_port,
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        behind_proxy=behind_proxy,
        trusted_proxies=settings.trusted_proxies,
        connections=settings.connections,
    )
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
    return ApiServer(plane, listening, gate, streams)
