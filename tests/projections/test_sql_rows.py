"""What databases do and dictionaries do not: two at once, and text in an order of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from projections.metrics import TOTALS
from projections.rebuild import rebuild
from projections.runner import Runner, new_build
from tests.projections.recording import execution
from tests.projections.stores import ALL, MakeRows, contents, log_of, plain_fold

KEY = "checkout/on"


def test_of_two_who_open_the_first_build_at_once_the_second_waits(postgres_rows: MakeRows) -> None:
    rows, log = postgres_rows(), log_of([execution() for _ in range(5)])
    with ThreadPoolExecutor(1) as pool:
        with rows.write() as transaction:
            assert transaction.builds() == []
            other = pool.submit(lambda: rebuild(log, rows, TOTALS))
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
            transaction.put(new_build(TOTALS, [], active=True))
        assert other.result(timeout=10).build == 2
    assert [build.build for build in rows.builds()] == [2]


def test_many_runners_and_rebuilds_at_once_count_each_event_once(sql_rows: MakeRows) -> None:
    rows = sql_rows()
    log = log_of([execution(flag, ms=ms) for ms in range(40) for flag in ("checkout", "search")])
    start = Barrier(5)

    def run(batch: int) -> None:
        runner = Runner(log, rows, ALL, batch=batch)
        start.wait()
        runner.open()
        runner.catch_up()

    def rebuild_all() -> None:
        start.wait()
        for projection in ALL:
            rebuild(log, rows, projection)

    work: list[Callable[[], Any]] = [lambda batch=batch: run(batch) for batch in (1, 2, 3, 7)]
    with ThreadPoolExecutor(5) as pool:
        for done in [pool.submit(one) for one in [*work, rebuild_all]]:
            done.result()
    for projection in ALL:
        assert contents(rows, projection) == plain_fold(projection, log.read())


def test_environments_of_one_database_do_not_see_each_other(sql_rows: MakeRows) -> None:
    one, other = sql_rows(), sql_rows()
    rebuild(log_of([execution()]), one, TOTALS)
    assert other.builds() == []
    assert other.scan(TOTALS) == []


def test_a_scan_is_in_code_point_order_from_start_to_before_stop(make_rows: MakeRows) -> None:
    rows = make_rows()
    flags = ["a", "B", "b", "zürich", "ä", "\U0001f600", "b.c", "b-c", "b_c"]
    rebuild(log_of([execution(flag) for flag in flags]), rows, TOTALS)
    assert [key for key, _ in rows.scan(TOTALS)] == sorted(f"{flag}/on" for flag in flags)
    assert [key for key, _ in rows.scan(TOTALS, "b", "b/on")] == ["b-c/on", "b.c/on"]
    assert [key for key, _ in rows.scan(TOTALS, "b/on")] == [
        *("b/on", "b_c/on", "zürich/on", "ä/on", "\U0001f600/on"),
    ]


def test_more_keys_than_one_query_takes_are_loaded(sql_rows: MakeRows) -> None:
    rows, log = sql_rows(), log_of([execution(f"flag-{n}") for n in range(1100)])
    for _ in range(2):
        Runner(log, rows, [TOTALS], batch=2000).catch_up()
    with rows.write() as transaction:
        (build,) = transaction.builds()
        wanted = [f"flag-{n}/on" for n in range(-5, 1100)]
        assert sorted(transaction.load(build, wanted)) == sorted(wanted[5:])
