"""Flags reach whoever follows them: all at first, then each one that changes, as it stands."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer
from projections.flags import Flag
from tests.http.listening import Listener, Message, ids, listening
from tests.journeys.traffic import ENGINEER, FLAG, Clock, batch

FLAGS = "/api/v1/stream/flags"
OFREP = "/ofrep/v1/stream"


@pytest.fixture
def server(kept: ControlPlane) -> Iterator[ApiServer]:
    with listening(kept) as server:
        yield server


def flag_of(data: Any) -> Flag:
    return msgspec.convert(data, Flag)


def flags_of(message: Message) -> dict[str, Flag]:
    return {flag.name: flag for flag in map(flag_of, message.data["flags"])}


def test_all_flags_at_first_and_then_each_that_changes(
    kept: ControlPlane, server: ApiServer
) -> None:
    kept.flags.create("other", owner="o", actor=ENGINEER)
    kept.executions.record([batch(), batch()])
    with Listener(server, FLAGS) as listener:
        (snapshot,) = listener.take(1)
        assert snapshot.event == "snapshot"
        assert snapshot.id == snapshot.data["position"] == 2
        assert snapshot.data["environment"] == "production"
        assert flags_of(snapshot) == {flag.name: flag for flag in kept.flags.all()}
        for percentage in (10, 100):
            flag = kept.flags.enable(FLAG, percentage=percentage, actor=ENGINEER)
            (changed,) = listener.take(1)
            assert (changed.event, changed.id) == ("flag", flag.position)
            assert flag_of(changed.data) == flag
        kept.executions.record([batch()])
        flag = kept.flags.disable("other", actor=ENGINEER)
        flag = kept.flags.archive("other", actor=ENGINEER)
        while (changed := listener.take(1)[0]).id < flag.position:
            pass
        assert flag_of(changed.data) == flag


def test_who_was_there_before_gets_what_changed_since(
    kept: ControlPlane, server: ApiServer
) -> None:
    for name in ("one", "two", "three"):
        kept.flags.create(name, owner="o", actor=ENGINEER)
    with Listener(server, FLAGS) as listener:
        (snapshot,) = listener.take(1)
    kept.flags.enable("one", percentage=1, actor=ENGINEER)
    kept.flags.enable("three", percentage=3, actor=ENGINEER)
    kept.flags.enable("one", percentage=2, actor=ENGINEER)
    with Listener(server, FLAGS, last=snapshot.id) as listener:
        changed = listener.take(2)
        assert [message.event for message in changed] == ["flag", "flag"]
        assert [message.data["name"] for message in changed] == ["three", "one"]
        assert ids(changed) == sorted(ids(changed))
        assert flag_of(changed[1].data) == kept.flags.get("one")
        kept.flags.enable("two", percentage=1, actor=ENGINEER)
        assert listener.take(1)[0].data["name"] == "two"
    with Listener(server, FLAGS, last=kept.flags.get("two").position) as listener:
        kept.flags.enable("three", percentage=4, actor=ENGINEER)
        assert flag_of(listener.take(1)[0].data).percentage == 4


def test_a_position_of_another_log_gets_all_flags_anew(server: ApiServer) -> None:
    with Listener(server, FLAGS, last=10**6) as listener:
        (snapshot,) = listener.take(1)
        assert (snapshot.event, snapshot.id) == ("snapshot", 1)


def test_without_any_flag_the_snapshot_is_empty(clock: Clock) -> None:
    with ControlPlane("memory://", clock=clock) as plane, listening(plane) as server:
        with Listener(server, FLAGS) as listener:
            (snapshot,) = listener.take(1)
            empty = {"environment": "production", "position": 0, "flags": []}
            assert snapshot == ("snapshot", 0, empty)
            plane.flags.create(FLAG, owner="o", actor=ENGINEER)
            assert ids(listener.take(1)) == [1]
        with Listener(server, FLAGS, last=0) as listener:
            assert listener.take(1)[0].event == "flag"


@pytest.mark.parametrize("path", [FLAGS, OFREP])
def test_what_is_no_position_is_a_problem(server: ApiServer, path: str) -> None:
    with Listener(server, path, last="2026-11-20") as listener:
        assert listener.status == 422
        assert "no position" in listener.problem()["detail"]


def test_a_change_in_another_process_is_streamed_too(kept: ControlPlane, server: ApiServer) -> None:
    with (
        ControlPlane(kept.url, clock=kept.clock) as other,
        Listener(server, FLAGS) as flags,
        Listener(server, OFREP) as ofrep,
    ):
        flags.take(1)
        ofrep.take(1)
        flag = other.flags.enable(FLAG, percentage=20, actor=ENGINEER)
        while flags.take(1)[0].id < flag.position:
            pass
        while ofrep.take(1)[0].id < flag.position:
            pass


def test_who_heard_of_more_than_this_process_knows_makes_it_look(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    with ControlPlane(url) as plane, ControlPlane(url) as other, listening(plane) as server:
        plane.flags.snapshot.close()  # It does not follow the log by itself any more.
        plane.flags.snapshot.join()
        flag = other.flags.create(FLAG, owner="o", actor=ENGINEER)
        flag = other.flags.enable(FLAG, percentage=20, actor=ENGINEER)
        with Listener(server, FLAGS, last=flag.position - 1) as listener:
            assert ids(listener.take(1)) == [flag.position]


# -- narrowed tokens ------------------------------------------------------------------------------


def test_a_token_for_some_flags_hears_of_these_only(kept: ControlPlane) -> None:
    kept.flags.create("secret", owner="o", actor=ENGINEER)
    narrowed = kept.access.issue(
        owner="ben", roles="viewer", scopes=("flag:batch-*",), actor=ENGINEER
    ).text
    with listening(kept, GateSettings()) as server:
        with Listener(server, "/api/v1/stream", token=narrowed) as refused:
            assert refused.status == 403
        with (
            Listener(server, FLAGS, token=narrowed) as flags,
            Listener(server, OFREP, token=narrowed) as ofrep,
        ):
            (snapshot,) = flags.take(1)
            assert [*flags_of(snapshot)] == [FLAG]
            assert snapshot.id == 1
            assert ids(ofrep.take(1)) == [1]
            kept.flags.enable("secret", percentage=1, actor=ENGINEER)
            flag = kept.flags.enable(FLAG, percentage=1, actor=ENGINEER)
            assert [message.data["name"] for message in flags.take(1)] == [FLAG]
            while ofrep.take(1)[0].id < flag.position:
                pass
        with Listener(server, FLAGS, last=2, token=narrowed) as flags:
            assert flag_of(flags.take(1)[0].data) == flag


# -- OFREP ----------------------------------------------------------------------------------------


def test_ofrep_is_told_when_to_evaluate_again(
    kept: ControlPlane, server: ApiServer, clock: Clock
) -> None:
    seconds = clock.now // 1_000_000
    with Listener(server, OFREP) as listener:
        (first,) = listener.take(1)
        data = {"type": "refetchEvaluation", "etag": "1", "lastModified": seconds}
        assert first == ("message", 1, data)
        clock.advance(90_000_000)
        flag = kept.flags.describe(FLAG, owner="others", actor=ENGINEER)
        (second,) = listener.take(1)
        assert second.id == flag.position
        assert second.data["lastModified"] == seconds + 90


def test_however_much_changed_ofrep_is_told_once(kept: ControlPlane, server: ApiServer) -> None:
    for percentage in range(1, 11):
        flag = kept.flags.enable(FLAG, percentage=percentage, actor=ENGINEER)
    with Listener(server, OFREP, last=1) as listener:
        assert ids(listener.take(1)) == [flag.position]
        flag = kept.flags.disable(FLAG, actor=ENGINEER)
        assert ids(listener.take(1)) == [flag.position]
    with Listener(server, OFREP, last=flag.position) as listener:
        flag = kept.flags.enable(FLAG, percentage=1, actor=ENGINEER)
        assert listener.take(1)[0].id > flag.position - 2


# -- a database that was restored -----------------------------------------------------------------


def test_after_a_restore_everybody_gets_the_flags_of_then(tmp_path: Path, clock: Clock) -> None:
    file, saved = tmp_path / "log.db", tmp_path / "saved.db"
    url = f"sqlite:///{file}"
    with ControlPlane(url, clock=clock) as plane:
        plane.flags.create(FLAG, owner="then", actor=ENGINEER)
    saved.write_bytes(file.read_bytes())
    with ControlPlane(url, clock=clock) as plane, listening(plane) as server:
        plane.flags.describe(FLAG, owner="now", actor=ENGINEER)
        with (
            Listener(server, FLAGS) as flags,
            Listener(server, OFREP) as ofrep,
            Listener(server, "/api/v1/stream") as events,
        ):
            assert flags.take(1)[0].id == 2
            ofrep.take(1)
            events.take(1)
            restore(saved, url)
            (snapshot,) = flags.take(1)
            assert (snapshot.event, snapshot.id) == ("snapshot", 1)
            assert flags_of(snapshot)[FLAG].owner == "then"
            assert ids(ofrep.take(1)) == [1]
            with suppress(ConnectionError):
                assert events.take(1) == []
        with Listener(server, "/api/v1/stream", last=2) as events:
            assert events.status == 422
            assert "restored" in events.problem()["detail"]


def restore(saved: Path, url: str) -> None:
    """Put the backup in place, as SQLite's own backup does while others have the file open."""
    with (
        closing(sqlite3.connect(saved)) as source,
        closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as target,
    ):
        source.backup(target)
