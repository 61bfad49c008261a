"""Clients that come and go, servers that restart, many who write: nothing is missed or repeated."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from random import Random

import msgspec
import pytest

from controlplane import ControlPlane
from controlplane.http.hub import StreamSettings
from controlplane.http.server import ApiServer, Listening
from projections.flags import Flag
from tests.http.listening import OPEN, Listener, Message
from tests.journeys.traffic import ENGINEER, FLAG, batch

WRITERS = 3
WRITES = 30
FILTERS = [
    {},
    {"type": "flag.*"},
    {"stream": f"flag-{FLAG}-1"},
    {"type": "execution.batch_executed"},
    {"type": "flag.archived"},
]
UNKNOWN = 2**62


class Place:
    """Where a server is, one after another; and where the log ends, once nobody writes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.port = 0
        self.end = UNKNOWN
        self._start()

    def _start(self) -> None:
        self._plane = ControlPlane(self._url)
        often = StreamSettings(heartbeat_seconds=0.1)
        self._server = ApiServer(self._plane, Listening(port=self.port), OPEN, often)
        self.port = self._server.port
        self._server.start()

    def restart(self) -> None:
        self.close()
        self._start()

    def close(self) -> None:
        self._server.close()
        self._plane.close()


@contextmanager
def place(url: str) -> Iterator[Place]:
    found = Place(url)
    try:
        yield found
    finally:
        found.end = 0
        found.close()


def writes(url: str, number: int) -> None:
    """Somebody elsewhere: flags and executions, a few at once."""
    chance = Random(number)  # noqa: S311  why: of a test
    with ControlPlane(url) as plane:
        flag = f"{FLAG}-{number}"
        plane.flags.create(flag, owner="o", actor=ENGINEER)
        for n in range(WRITES):
            plane.flags.enable(flag, percentage=1 + n % 99, actor=ENGINEER)
            plane.executions.record([batch(flag=flag) for _ in range(chance.randint(1, 40))])
            time.sleep(chance.random() / 50)


def follows(place: Place, path: str, number: int, take: Callable[[Message], None]) -> None:
    """A client that comes and goes, each time from where it was, until it has seen the end."""
    chance, last = Random(number), 0  # noqa: S311  why: of a test
    while last < place.end:
        with suppress(OSError, HTTPException), Listener(place, path, last=last or None) as one:
            for _ in range(chance.choice([1, 10, 100, 1000])):
                for message in one.take(1):
                    take(message)
                    last = message.id
                if one.response.closed or last >= place.end:
                    break


def query(**filters: str) -> str:
    return "&".join(["after=0", *(f"{name}={value}" for name, value in filters.items())])


@pytest.mark.parametrize("restarts", [0, 3])
def test_everybody_gets_everything_once_and_in_order(url: str, restarts: int) -> None:
    found: list[list[Message]] = [[] for _ in range(2 * len(FILTERS))]
    flags: dict[str, Flag] = {}

    def keep(message: Message) -> None:
        told = message.data["flags"] if message.event == "snapshot" else [message.data]
        flags.update({one["name"]: msgspec.convert(one, Flag) for one in told})

    with ControlPlane(url) as plane, place(url) as where, ThreadPoolExecutor(32) as pool:
        clients = [
            pool.submit(follows, where, f"/api/v1/stream?{query(**FILTERS[n % 5])}", n, one.append)
            for n, one in enumerate(found)
        ]
        flag_client = pool.submit(follows, where, "/api/v1/stream/flags", 99, keep)
        writers = [pool.submit(writes, url, number) for number in range(WRITERS)]
        for _ in range(restarts):
            time.sleep(0.3)
            where.restart()
        for writer in writers:
            writer.result()
        # Flags have the last word: who follows flags only sees an end by one of them.
        where.end = plane.flags.create("last", owner="o", actor=ENGINEER).position
        plane.flags.create("beyond", owner="o", actor=ENGINEER)
        for client in [*clients, flag_client]:
            client.result()
        for n, messages in enumerate(found):
            expected = [e.position for e in plane.events(limit=where.end, **FILTERS[n % 5])]
            expected = [position for position in expected if position <= where.end]
            told = [m.id for m in messages if m.event == "message" and m.id <= where.end]
            assert told == expected
        flags.pop("beyond", None)
        assert flags == {flag.name: flag for flag in plane.flags.all() if flag.name != "beyond"}
