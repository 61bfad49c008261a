"""Where webhooks stand: noted once, by whoever is first; who was overtaken moves nothing back."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.outgoing.standings import MemoryStandings, SqlStandings, Standing, Standings
from events.database import Database
from tests.conftest import SQL, address_of

Open = Callable[..., Standings]
CROWD = 8
THE_START = Standing(position=7)
FAILED = Standing(
    position=7, attempts=2, next_attempt_at=2**53, delivered_at=2**52, error="answered 503 ß"
)


@pytest.fixture(params=["memory", *SQL])
def open_standings(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the same ones again, as another process would."""
    with (
        address_of(request.param, request, migrated=True) as address,
        ExitStack() as stack,
    ):
        memory = MemoryStandings()

        def open_(environment: str = "production") -> Standings:
            if address == "memory://":
                return memory
            database = Database(address)
            stack.callback(database.close)
            return SqlStandings(database, environment)

        yield open_


def test_what_has_not_begun_stands_nowhere(open_standings: Open) -> None:
    standings = open_standings()
    assert (standings.get("webhook-1"), standings.all()) == (None, {})


def test_what_was_noted_is_known_everywhere(open_standings: Open) -> None:
    one, other = open_standings(), open_standings()
    assert one.move("webhook-1", THE_START, FAILED)
    assert one.get("webhook-1") == other.get("webhook-1") == FAILED
    assert other.move("webhook-1", FAILED, Standing(position=9, delivered_at=1))
    assert one.move("webhook-2/41", Standing(position=40), FAILED)
    assert one.all() == {
        "webhook-1": Standing(position=9, delivered_at=1),
        "webhook-2/41": FAILED,
    }


def test_who_was_overtaken_moves_nothing_back(open_standings: Open) -> None:
    one, other = open_standings(), open_standings()
    one.move("webhook-1", THE_START, FAILED)
    for after in (Standing(position=20), replace(FAILED, attempts=3)):
        assert other.move("webhook-1", FAILED, after)
        assert not one.move("webhook-1", FAILED, Standing(position=8))
        assert not one.move("webhook-1", THE_START, Standing(position=8))
        assert one.get("webhook-1") == after
        assert other.move("webhook-1", after, FAILED)


def test_what_is_over_is_forgotten(open_standings: Open) -> None:
    standings = open_standings()
    for name in ("webhook-1", "webhook-2"):
        standings.move(name, THE_START, FAILED)
    standings.forget("webhook-1")
    standings.forget("webhook-1")
    assert standings.all() == {"webhook-2": FAILED}


def test_a_long_error_is_kept_in_part(open_standings: Open) -> None:
    standings = open_standings()
    assert standings.move("webhook-1", THE_START, replace(FAILED, error="ß" * 2000))
    assert standings.get("webhook-1") == replace(FAILED, error="ß" * 500)


def test_of_a_crowd_one_moves_it(open_standings: Open) -> None:
    crowd = [open_standings() for _ in range(CROWD)]
    crowd[0].move("webhook-1", THE_START, FAILED)
    together = Barrier(CROWD)

    def move(number: int) -> bool:
        together.wait()
        return crowd[number].move("webhook-1", FAILED, Standing(position=100 + number))

    def begin(number: int) -> bool:
        together.wait()
        return crowd[number].move("webhook-2", THE_START, Standing(position=100 + number))

    with ThreadPoolExecutor(CROWD) as pool:
        for job, name in ((move, "webhook-1"), (begin, "webhook-2")):
            won = list(pool.map(job, range(CROWD)))
            assert sum(won) == 1
            assert crowd[0].get(name) == Standing(position=100 + won.index(True))


@pytest.mark.parametrize("open_standings", SQL, indirect=True)
def test_environments_do_not_meet(open_standings: Open) -> None:
    one, other = open_standings(), open_standings("staging")
    one.move("webhook-1", THE_START, FAILED)
    assert (other.get("webhook-1"), other.all()) == (None, {})


places = st.builds(Standing, position=st.integers(0, 3), attempts=st.integers(0, 2))
steps = st.sampled_from(["move", "move", "forget"])
moves = st.tuples(steps, st.sampled_from("ab"), places, places)


@given(st.lists(moves, max_size=12))
def test_sql_and_memory_agree(
    sqlite_standings: Standings, steps: list[tuple[str, str, Standing, Standing]]
) -> None:
    memory = MemoryStandings()
    for name in "ab":
        sqlite_standings.forget(name)
    for step, name, before, after in steps:
        if step == "forget":
            memory.forget(name)
            sqlite_standings.forget(name)
        else:
            moved = memory.move(name, before, after)
            assert sqlite_standings.move(name, before, after) == moved
        assert sqlite_standings.all() == memory.all()


@pytest.fixture(scope="module")
def sqlite_standings(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Standings]:
    path = tmp_path_factory.mktemp("standings") / "log.db"
    shutil.copy(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    yield SqlStandings(database, "production")
    database.close()
