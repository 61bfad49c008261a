"""The hub, taken alone: whatever the ring holds, whoever comes when, gets what they want once."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import count
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.http.log_hub import Filter, LogFeed, LogHub
from controlplane.http.sse import CutOffError
from events.event import Actor, NewEvent
from events.flags import FlagDescribed, FlagEnabled
from events.log import Query
from events.memory_log import MemoryLog

FILTERS = [
    Filter(),
    Filter(stream="a"),
    Filter(type="flag.enabled"),
    Filter(type="flag.*"),
    Filter("b", "flag.described"),
    Filter(type="rollout.*"),
]
MESSAGE = re.compile(rb"(?:event: (\w+)\n)?id: (\d+)\ndata: \{.*\}\n\n")


class Log(MemoryLog):
    """A log to which one can append in a word."""

    def __init__(self) -> None:
        super().__init__("production", lambda: 0)
        self._numbers = count(1)

    def add(self, streams: str) -> None:
        self.append(
            [
                NewEvent(
                    stream=stream,
                    event=FlagDescribed(flag=stream, owner="o", description="x" * 50, tags=())
                    if n % 2
                    else FlagEnabled(flag=stream, reason=""),
                    id=str(UUID(int=next(self._numbers))),
                    occurred_at=0,
                    actor=Actor.person("p"),
                )
                for n, stream in enumerate(streams)
            ]
        )


class Client:
    """Takes when it is told to; comes again from where it was when it is cut off."""

    def __init__(self, hub: LogHub, wanted: Filter, after: int) -> None:
        self.hub, self.wanted, self.after = hub, wanted, after
        self.last = after
        self.got: list[int] = []
        self.feed = self.enter()

    def enter(self) -> LogFeed:
        feed = LogFeed(self.hub, self.wanted, self.last)
        feed.__enter__()
        return feed

    async def take(self) -> bool:
        """Whether there was anything."""
        try:
            chunk = await self.feed.take()
        except CutOffError:
            self.again()
            return True
        assert MESSAGE.sub(b"", chunk) == b""
        for event, id_ in MESSAGE.findall(chunk):
            self.last = int(id_)
            if not event:
                self.got.append(int(id_))
        return bool(chunk)

    def again(self) -> None:
        self.feed.__exit__(None, None, None)
        self.feed = self.enter()


def in_a_loop(log: Log, most_events: int, work: Callable[[LogHub], Awaitable[None]]) -> None:
    async def main() -> None:
        hub = LogHub(log, most_events=most_events)
        hub.start(asyncio.get_running_loop())
        try:
            await work(hub)
        finally:
            await asyncio.to_thread(hub.close)

    asyncio.run(main())


ACTIONS = st.one_of(
    st.tuples(st.just("add"), st.text("abc", min_size=1, max_size=12)),
    st.tuples(st.just("come"), st.tuples(st.sampled_from(FILTERS), st.integers(0, 60))),
    st.tuples(st.just("take"), st.integers(0, 5)),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("rest"), st.just(0)),
)


@settings(max_examples=60)
@given(actions=st.lists(ACTIONS, max_size=40), most_events=st.sampled_from([1, 3, 10, 1000]))
def test_everybody_gets_what_they_want_once(
    actions: list[tuple[str, object]], most_events: int
) -> None:
    log, clients = Log(), list[Client]()

    async def work(hub: LogHub) -> None:
        for action, given_ in actions:
            match action, given_:
                case "add", str(streams):
                    log.add(streams)
                case "come", (Filter() as wanted, int(after)):
                    clients.append(Client(hub, wanted, min(after, log.head().position)))
                case "take", int(n) if n < len(clients):
                    await clients[n].take()
                case "leave", int(n) if n < len(clients):
                    clients[n].again()
                case _:
                    await asyncio.sleep(0.001)
        for client in clients:
            while await client.take() or client.feed.position < log.head().position:  # noqa: ASYNC110  why: a thread moves it
                await asyncio.sleep(0)
            client.feed.__exit__(None, None, None)

    in_a_loop(log, most_events, work)
    for client in clients:
        wanted = client.wanted
        query = Query(stream=wanted.stream, type=wanted.type, after=client.after)
        assert client.got == [event.position for event in log.search(query)]


def test_everybody_at_one_place_is_given_the_same_bytes() -> None:
    log = Log()

    async def work(hub: LogHub) -> None:
        feeds = [LogFeed(hub, Filter(), 0) for _ in range(100)]
        for feed in feeds:
            feed.__enter__()
            await feed.take()
            assert await feed.take() == b""
        log.add("abc")
        while not hub.reached:  # noqa: ASYNC110  why: a thread moves it
            await asyncio.sleep(0.001)
        chunks = {id(await feed.take()) for feed in feeds}
        assert len(chunks) == 1

    in_a_loop(log, 1000, work)


def test_many_who_come_from_far_back_have_one_page_read_for_all() -> None:
    log = Log()
    log.add("a" * 3000)
    searched: list[int] = []
    search = log.search
    log.search = lambda query: searched.append(query.after) or search(query)  # type: ignore[method-assign,func-returns-value]  # why: it notes, then searches

    async def work(hub: LogHub) -> None:
        async def follow() -> int:
            client = Client(hub, Filter(), 0)
            while client.last < 3000:
                if not await client.take():
                    await asyncio.sleep(0.001)
            return len(client.got)

        assert await asyncio.gather(*(follow() for _ in range(50))) == [3000] * 50

    in_a_loop(log, 1000, work)
    assert len(searched) < 150


def test_a_ring_is_bounded_in_bytes_too() -> None:
    log = Log()

    async def work(hub: LogHub) -> None:
        hub._most_bytes = 3000
        client = Client(hub, Filter(), 0)
        for _ in range(100):
            log.add("ab")
            while client.last < log.head().position:
                await client.take()
                await asyncio.sleep(0)
            assert sum(len(entry.data) for entry in hub._ring.values()) == hub._bytes <= 3000
        assert client.got == list(range(1, 201))

    in_a_loop(log, 1000, work)
