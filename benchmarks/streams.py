"""How soon a kill switch is at a thousand clients: python benchmarks/streams.py.

A thousand clients of /api/v1/stream/flags, raw sockets in a process of their own, and a flag that
is switched off in the server's process, on SQLite with a log that survives a power cut. Told are
the milliseconds from the start of the command, and from the moment the flag is off in the server's
memory, to the arrival at each client. The floor, in the same run and on the same server: bytes of
the same length, sent by a bare Starlette StreamingResponse for each client, with nothing behind it.
"""

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer, Listening
from controlplane.http.sse import message

FLAG = "batch-patches-v1"
MILLION = 1_000_000


class Round(NamedTuple):
    """One event at all clients, in milliseconds."""

    command: float
    """From the start of the command to its end."""
    known: float
    """From the start of the command until the server's memory knows."""
    arrivals: list[float]
    """From the start of the command to each client."""


# -- the clients, in a process of their own --------------------------------------------------------


class Client(asyncio.Protocol):
    """Reads a stream, and notes when an event came."""

    def __init__(self, path: str, came: Callable[[bytes], None]) -> None:
        self._path = path
        self._came = came

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        request = (
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
        )
        transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._came(data)


def clients(port: int, path: str, marker: bytes, count: int, results: Connection) -> None:
    """Connect them all, say so, and tell of each event when it came to each of them."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ready, arrivals = 0, list[int]()

        def came(data: bytes) -> None:
            nonlocal ready
            if marker in data:
                arrivals.append(time.monotonic_ns())
                if len(arrivals) == count:
                    results.send(sorted(arrivals))
                    arrivals.clear()
            elif b"retry: " in data:
                ready += 1
                if ready == count:
                    results.send(ready)

        for _ in range(count):
            await loop.create_connection(lambda: Client(path, came), "127.0.0.1", port)
        await asyncio.Event().wait()

    uvloop.run(main())


@contextmanager
def connected(port: int, path: str, marker: bytes, count: int) -> Iterator[Connection]:
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=clients, args=(port, path, marker, count, there), daemon=True)
    process.start()
    try:
        assert here.recv() == count
        time.sleep(0.5)
        yield here
    finally:
        process.terminate()
        process.join()


# -- ours ------------------------------------------------------------------------------------------


@contextmanager
def serving(folder: Path) -> Iterator[tuple[ControlPlane, int]]:
    with ControlPlane(f"sqlite:///{folder / 'log.db'}") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ada")
        server = ApiServer(plane, Listening(port=0), GateSettings(dev=True))
        server.start()
        try:
            yield plane, server.port
        finally:
            server.close()


def switch_off(plane: ControlPlane, results: Connection) -> Round:
    """Switch a flag off that is on; when everybody knows."""
    plane.flags.enable(FLAG, percentage=50, actor="ada")
    results.recv()
    known = list[int]()

    def told(_names: frozenset[str]) -> None:
        known.append(time.monotonic_ns())

    plane.flags.snapshot.listeners.insert(0, told)
    began = time.monotonic_ns()
    plane.flags.disable(FLAG, actor="ada")
    ended = time.monotonic_ns()
    arrivals = results.recv()
    plane.flags.snapshot.listeners.remove(told)
    assert not plane.flags.is_enabled(FLAG, "user-3")
    return Round(
        (ended - began) / MILLION,
        (known[0] - began) / MILLION,
        [(arrival - began) / MILLION for arrival in arrivals],
    )


def ours(count: int, rounds: int) -> tuple[list[Round], float]:
    """What it took, and the CPU of the loop's thread for a delivery, in microseconds."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as (plane, port):
        (loop,) = (thread for thread in threading.enumerate() if thread.name == "http")
        with connected(port, "/api/v1/stream/flags", b"event: flag\n", count) as results:
            switch_off(plane, results)
            found, spent = cpu(loop, lambda: [switch_off(plane, results) for _ in range(rounds)])
    return found, spent / (2 * rounds * count)


# -- the floor -------------------------------------------------------------------------------------


class Floor:
    """Bytes to whoever is connected, and nothing else."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[bytes]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        application = Starlette(routes=[Route("/", self._stream)])
        config = uvicorn.Config(
            application, port=0, log_config=None, access_log=False, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self._server.run, daemon=True)
        self.thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    async def _stream(self, _request: Request) -> StreamingResponse:
        self._loop = asyncio.get_running_loop()

        async def events() -> AsyncIterator[bytes]:
            yield b"retry: 1000\n\n"
            while True:
                future = asyncio.get_running_loop().create_future()
                self._waiting.append(future)
                yield await future

        return StreamingResponse(events(), media_type="text/event-stream")

    def send(self, data: bytes) -> None:
        """From any thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._tell, data)

    def _tell(self, data: bytes) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(data)

    def close(self) -> None:
        """Stop at once."""
        self._server.should_exit = self._server.force_exit = True
        self.thread.join(10)


def send(floor: Floor, data: bytes, results: Connection) -> Round:
    began = time.monotonic_ns()
    floor.send(data)
    arrivals = results.recv()
    return Round(0.0, 0.0, [(arrival - began) / MILLION for arrival in arrivals])


def floor(count: int, rounds: int, data: bytes) -> tuple[list[Round], float]:
    """As `ours`."""
    server = Floor()
    try:
        with connected(server.port, "/", b"event: flag\n", count) as results:
            send(server, data, results)
            found, spent = cpu(
                server.thread, lambda: [send(server, data, results) for _ in range(rounds)]
            )
    finally:
        server.close()
    return found, spent / (rounds * count)


# -- measuring -------------------------------------------------------------------------------------


def cpu(thread: threading.Thread, work: Callable[[], list[Round]]) -> tuple[list[Round], float]:
    """What it gave, and the microseconds of CPU that a thread spent meanwhile."""
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    before = time.clock_gettime_ns(clock)
    found = work()
    return found, (time.clock_gettime_ns(clock) - before) / 1000


def at(share: float, rounds: list[Round], *, since_known: bool = False) -> float:
    """A quantile over all clients of each round; the median of the rounds."""
    return median(
        one.arrivals[int(share * (len(one.arrivals) - 1))] - one.known * since_known
        for one in rounds
    )


def sample() -> bytes:
    """An event as long as ours."""
    with ControlPlane("memory://") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor="ada")
        plane.flags.enable(FLAG, percentage=50, actor="ada")
        flag = plane.flags.disable(FLAG, actor="ada")
    return message(msgspec.json.encode(flag), id_=flag.position, event="flag")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    data = sample()
    print(
        f"{options.clients} clients, an event of {len(data)} bytes, {options.rounds} rounds a run"
    )
    print("       command  in memory    P50    P99  P99 from memory on  µs CPU a delivery")
    ratios, costs = [], []
    for _ in range(options.runs):
        rounds, cost = ours(options.clients, options.rounds)
        fan_out = at(0.99, rounds, since_known=True)
        command, known = (median(getattr(r, n) for r in rounds) for n in ("command", "known"))
        print(
            f"ours   {command:7.1f} {known:10.1f} {at(0.5, rounds):6.1f} {at(0.99, rounds):6.1f}"
            f" {fan_out:19.1f} {cost:18.1f}"
        )
        bare, bare_cost = floor(options.clients, options.rounds, data)
        print(
            f"floor  {'':18} {at(0.5, bare):6.1f} {at(0.99, bare):6.1f}"
            f" {at(0.99, bare):19.1f} {bare_cost:18.1f}"
        )
        ratios.append(fan_out / at(0.99, bare))
        costs.append(cost / bare_cost)
    print(
        f"Ours to the floor, medians of {options.runs} runs: P99 from memory on "
        f"{median(ratios):.2f}, CPU {median(costs):.2f}"
    )


if __name__ == "__main__":
    main()
