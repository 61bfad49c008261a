"""What the streams of one server stand on: start it with the server, end it before the server."""

import asyncio

from controlplane.http.flag_hub import FlagHub
from controlplane.http.log_hub import LogHub
from controlplane.http.sse import Room
from controlplane.plane import ControlPlane


class Hubs:
    """The log and the flags of one control plane, for the clients of one event loop.

    `app.state.hubs = hubs` in the application's lifespan, `hubs.start(loop)` before it serves,
    `hubs.close()` at the end. A server waits for open connections before it ends the lifespan:
    have it call `end_streams` first, as controlplane.http.server does.
    """

    def __init__(
        self, plane: ControlPlane, *, heartbeat_seconds: float = 15.0, stall_seconds: float = 20.0
    ) -> None:
        self.log = LogHub(plane.log)
        self.flags = FlagHub(plane.flags.snapshot, plane.environment)
        self.room = Room(heartbeat_seconds=heartbeat_seconds, stall_seconds=stall_seconds)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Load the flags, and follow the log from now on. Raises LogUnavailable."""
        self.flags.start(loop)
        self.log.start(loop)

    @property
    def open_streams(self) -> int:
        """How many clients are connected."""
        return len(self.room)

    def end_streams(self) -> None:
        """End all streams, now and to come: clients go on elsewhere, or later. In the loop."""
        self.room.end()

    def close(self) -> None:
        """End what is left, and let go of threads."""
        self.end_streams()
        self.flags.close()
        self.log.close()
