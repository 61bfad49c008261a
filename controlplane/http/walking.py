"""Walking the log's whole chain: one at a time, since it reads everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from fastapi import Request

from controlplane.access_errors import TooManyRequests

_BUSY_SECONDS = 10


@contextmanager
def walking(request: Request) -> Iterator[None]:
    """Within it, nobody else walks. Raises TooManyRequests."""
    alone: Lock = request.app.state.verifying
    if not alone.acquire(blocking=False):
        reason = "The log is being verified for somebody else"
        raise TooManyRequests(reason=reason, retry_after=_BUSY_SECONDS)
    try:
        yield
    finally:
        alone.release()
