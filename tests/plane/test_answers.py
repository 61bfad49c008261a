"""is_enabled and explain: from memory, the same answer from both, and never stale for long."""

import sys
import threading
from subprocess import run
from time import monotonic, sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import ControlPlane
from events.errors import LogUnavailable
from events.flags import Audience, Condition
from tests.conftest import PostgreSQL
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL

BETA = Audience("beta", (Condition("group", "equals", "beta"),))
units = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@pytest.fixture(scope="module")
def split() -> ControlPlane:
    """A flag at 30 % for everyone and 80 % for beta users."""
    plane = ControlPlane("memory://")
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(FLAG, percentage=30, actor=ENGINEER)
    plane.flags.set_percentage(FLAG, 80, audience=BETA, actor=ENGINEER)
    return plane


@given(unit=units, group=st.sampled_from([None, "beta", "internal", 7, True]))
def test_explain_agrees_with_is_enabled(split: ControlPlane, unit: str, group: object) -> None:
    attributes = {} if group is None else {"group": group}
    answer = split.flags.is_enabled(FLAG, unit, attributes)
    assert split.flags.explain(FLAG, unit, attributes).enabled is answer


def test_an_unknown_flag_is_off(plane: ControlPlane) -> None:
    assert plane.flags.is_enabled("nonsense", "user-17") is False
    found = plane.flags.explain("nonsense", "user-17")
    assert (found.enabled, found.reason, found.position) == (False, "FLAG_NOT_FOUND", 0)


def test_an_explanation_names_the_position_it_rests_on(split: ControlPlane) -> None:
    found = split.flags.explain(FLAG, "user-17")
    assert found.position == split.flags.history(FLAG)[-1].position
    place, limit = found.bucket, found.threshold
    assert f"bucket {place} {'<' if found.enabled else '>='} {limit}" in found.sentence


def test_an_archived_flag_is_off_and_says_so(kept: ControlPlane) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    kept.flags.archive(FLAG, actor=ENGINEER)
    assert not kept.flags.is_enabled(FLAG, "user-17")
    assert kept.flags.explain(FLAG, "user-17").reason == "ARCHIVED"


def eventually(plane: ControlPlane, *, answer: bool, seconds: float = 5) -> bool:
    end = monotonic() + seconds
    while plane.flags.is_enabled(FLAG, "user-17") is not answer:
        if monotonic() > end:
            return False
        sleep(0.01)
    return True


def test_answers_go_on_when_the_database_is_gone(postgres: PostgreSQL) -> None:
    name = postgres.create()
    with ControlPlane(postgres.address(name)) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        plane.flags.enable(FLAG, percentage=100, actor=ENGINEER)
        assert plane.flags.is_enabled(FLAG, "user-17")
        postgres.drop(name)
        with pytest.raises(LogUnavailable):
            plane.head()
        assert plane.flags.is_enabled(FLAG, "user-17")
        assert not plane.flags.is_enabled("nonsense", "user-17")


def test_the_kill_switch_is_seen_though_wake_ups_are_lost(
    kept: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    with ControlPlane(kept.url) as other:
        monkeypatch.setattr(other.log, "wait", lambda after, _timeout: (sleep(0.05), after)[1])
        assert other.flags.is_enabled(FLAG, "user-17")
        kept.flags.disable(FLAG, actor=ON_CALL)
        assert eventually(other, answer=False)


def test_the_kill_switch_is_seen_after_a_failure_nobody_thought_of(
    kept: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    with ControlPlane(kept.url) as other:
        assert other.flags.is_enabled(FLAG, "user-17")
        search = other.log.search
        failed = threading.Event()

        def fails_once(*query: object) -> object:
            if failed.is_set():
                return search(*query)
            failed.set()
            raise RuntimeError

        monkeypatch.setattr(other.log, "search", fails_once)
        kept.flags.disable(FLAG, actor=ON_CALL)
        assert eventually(other, answer=False)
        assert failed.is_set()


def test_nothing_follows_the_log_once_it_is_closed(kept: ControlPlane) -> None:
    before = threading.active_count()
    with ControlPlane(kept.url) as other:
        other.flags.is_enabled(FLAG, "user-17")
        assert threading.active_count() > before
    assert threading.active_count() == before


def test_many_threads_may_ask_first_at_once(kept: ControlPlane) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    before = threading.active_count()
    with ControlPlane(kept.url) as other:
        answers: list[bool] = []
        threads = [
            threading.Thread(target=lambda: answers.append(other.flags.is_enabled(FLAG, "u")))
            for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * 16
        assert threading.active_count() == before + 1


def test_a_unit_that_no_alphabet_has_does_not_end_the_process() -> None:
    program = f"""
from controlplane import ControlPlane
plane = ControlPlane("memory://")
plane.flags.create({FLAG!r}, owner="o", actor="a")
plane.flags.enable({FLAG!r}, percentage=50, actor="a")
for unit in ("\\ud800", "\\udfff\\x00", "x" * 10**6):
    assert plane.flags.is_enabled({FLAG!r}, unit) is plane.flags.explain({FLAG!r}, unit).enabled
"""
    assert run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603  why: ours
