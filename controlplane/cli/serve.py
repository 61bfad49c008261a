"""`controlplane serve`: the API, the scheduler and the metrics, until it is told to stop."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from controlplane.cli.output import opened
from controlplane.settings import load

_LOOKS_UP_SECONDS = 0.1


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
    from controlplane.cli.service import Service  # noqa: PLC0415  why: a second, only here

    settings = load().model_copy(
        update={
            name: value
            for name, value in {
                "http_host": host,
                "http_port": port,
                "metrics_port": metrics_port,
                "tls_certificate": tls_certificate or None,
                "tls_key": tls_key or None,
            }.items()
            if value is not None
        }
    )
    with opened(may_create=True) as plane:
        service = Service(plane, settings, dev=dev, behind_proxy=behind_proxy)
        with _told_to_stop() as told:
            service.start()
            # An Event would not do: its wait() may sleep through a signal, its set() lock itself
            # out.
            while not told:
                time.sleep(_LOOKS_UP_SECONDS)
            service.close()


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
