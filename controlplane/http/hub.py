"""What the streams of one server stand on: start it with the server, end it before the server."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from controlplane.errors import InvalidInput
from controlplane.http.flag_hub import FlagHub
from controlplane.http.log_hub import LogHub
from controlplane.http.sse import EventStream, Feed, Room
from controlplane.plane import ControlPlane
from controlplane.plane.tokens import Caller


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """How streams are kept alive, and when they are given up."""

    heartbeat_seconds: float = 15.0
    stall_seconds: float = 20.0


_USUAL = StreamSettings()


class Hubs:
    """The log and the flags of one control plane, for the clients of one event loop.

    A server waits for open connections before it ends an application's lifespan: streams have to
    be ended before, by end_streams().
    """

    def __init__(
        self,
        plane: ControlPlane,
        settings: StreamSettings = _USUAL,
        *,
        streams_per_token: int = 2000,
    ) -> None:
        self._plane = plane
        self.log = LogHub(plane.log)
        self.flags = FlagHub(plane.flags.snapshot, plane.environment)
        self.room = Room(
            heartbeat_seconds=settings.heartbeat_seconds,
            stall_seconds=settings.stall_seconds,
            most_per_holder=streams_per_token,
            still_opens=self._still_opens,
        )
        self._looks = ThreadPoolExecutor(1, thread_name_prefix="stream tokens")
        self._look: Future[None] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Load the flags, and follow the log from now on. Raises LogUnavailable."""
        self.flags.start(loop)
        self.log.start(loop)

    @property
    def open_streams(self) -> int:
        """How many clients are connected."""
        return len(self.room)

    async def begin(self, position: int | None) -> int:
        """Where a client begins in the log: after a position, or from now on.

        Raises InvalidInput where the log does not go so far, LogUnavailable.
        """
        known = max(self.log.reached, self._plane.flags.snapshot.position)
        if position is not None and position <= known:  # A thousand who come again ask nobody.
            return position
        head = await asyncio.get_running_loop().run_in_executor(None, self._plane.head)
        if position is not None and position > head.position:
            raise InvalidInput(
                reason=f"position {position} is beyond the last event, {head.position}: the "
                "database was restored, or is another one. Come again without a position"
            )
        return head.position if position is None else position

    def stream(self, feed: Feed, caller: Caller) -> EventStream:
        """The answer to who may have it. Raises TooManyRequests."""
        self.room.admit(caller.token)
        return EventStream(feed, self.room, caller.token)

    def _still_opens(self, token: str) -> bool:
        """Whether a token that opened a stream was not revoked since, as far as is known."""
        if not token:
            return True
        tokens = self._plane.access.snapshot
        if tokens.stale and (self._look is None or self._look.done()):
            self._look = self._looks.submit(tokens.refresh)  # The database may take its time.
        return tokens.opens(token, self._plane.clock())

    def end_streams(self) -> None:
        """End all streams, now and to come: clients go on elsewhere, or later. In the loop."""
        self.room.end()

    def close(self) -> None:
        """End what is left, and let go of threads."""
        self.end_streams()
        self.flags.close()
        self.log.close()
        self._looks.shutdown(wait=False, cancel_futures=True)
