"""Threads are few: whoever asks long or much leaves some to others."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from controlplane import ControlPlane
from controlplane.access_errors import TooManyRequests
from controlplane.http.turns import MOST_AT_ONCE, Turns
from tests.http.callers import PUT, client
from tests.journeys.traffic import ENGINEER


def test_long_ones_wait_for_each_other_and_short_ones_for_nobody() -> None:
    async def asked() -> tuple[int, list[str]]:
        turns, running, most, order = Turns(), 0, 0, []

        async def long(who: str) -> None:
            nonlocal running, most
            async with turns.taken(who, long=True):
                running += 1
                most = max(most, running)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                running -= 1
                order.append(who)

        async def short() -> None:
            async with turns.taken("short", long=False):
                order.append("short")

        await asyncio.gather(*(long(str(n)) for n in range(20)), short())
        return most, order

    most, order = asyncio.run(asked())
    assert most == 4
    assert len(order) == 21
    assert order.index("short") < 4


def test_of_one_token_so_many_are_under_way_and_no_more() -> None:
    async def asked() -> None:
        turns = Turns()
        held = [turns.taken("a", long=False) for _ in range(MOST_AT_ONCE)]
        for one in held:
            await one.__aenter__()
        with pytest.raises(TooManyRequests):
            await turns.taken("a", long=False).__aenter__()
        await turns.taken("b", long=False).__aenter__()
        await held[0].__aexit__(None, None, None)
        await turns.taken("a", long=False).__aenter__()

    asyncio.run(asked())


def test_what_fails_gives_its_turn_back() -> None:
    async def asked() -> None:
        turns = Turns()
        for _ in range(100):
            with pytest.raises(ZeroDivisionError):
                async with turns.taken("a", long=True):
                    raise ZeroDivisionError

    asyncio.run(asked())


def test_while_everybody_verifies_a_flag_is_switched_off(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        scraped.access.issue(owner=f"p{n}", roles="approver", actor=ENGINEER).text for n in range(5)
    ]
    done, began = threading.Event(), threading.Semaphore(0)

    def slowly(*_args: object, **_facts: object) -> object:
        began.release()
        assert done.wait(30)
        raise LookupError

    monkeypatch.setattr(scraped.rollouts, "verify", slowly)
    with client(scraped) as shared, ThreadPoolExecutor(50) as pool:

        def verify(number: int) -> int:
            key = {"X-API-Key": texts[number % 4]}
            return shared.get("/api/v1/rollouts/x-r1/verify", headers=key).status_code

        asked = [pool.submit(verify, number) for number in range(48)]
        for _ in range(4):
            assert began.acquire(timeout=10)
        switched = shared.post("/admin/flags", json=PUT, headers={"X-API-Key": texts[4]})
        done.set()
        assert switched.status_code == 200
        assert {one.result() for one in asked} <= {500, 429}
