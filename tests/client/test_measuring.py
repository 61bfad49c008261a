"""A block is timed and recorded: what it did goes on as if nobody looked."""

from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.bucketing import Explanation
from controlplane.client import Client, Run
from events import BatchExecuted
from tests.client.conftest import FLAG

ANSWER = Explanation(
    flag=FLAG, unit="u", enabled=True, reason="SPLIT", openfeature_reason="STATIC", sentence=""
)


class Recorder:
    """Keeps what is recorded."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def __call__(self, answer: Explanation, **fields: Any) -> bool:
        assert answer is ANSWER
        self.told.append(fields)
        return True

    def run(self) -> Run:
        ticks = iter([1_000_000, 42_999_999])
        return Run(self, ANSWER, lambda: next(ticks))


def test_what_was_run_is_recorded_with_how_long_it_took() -> None:
    recorder = Recorder()
    with recorder.run() as run:
        assert run.enabled
        run.add(replace=2, patches_applied=1)
        run.add(patches_applied=2)
    assert run.recorded
    assert recorder.told == [
        {
            "outcome": "succeeded",
            "error": "",
            "duration_us": 41_999,
            "replace": 2,
            "patches_applied": 2,
        }
    ]


class CannotBeToldError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such patch"), "ValueError: no such patch"),
        (ValueError("\ud800" + "x" * 3000), "ValueError: ?xxx"),
        (CannotBeToldError(), "CannotBeToldError: <exception str() failed>"),
    ],
)
def test_an_exception_is_a_failure_and_goes_on_its_way(error: Exception, said: str) -> None:
    recorder = Recorder()
    with pytest.raises(type(error)), recorder.run():
        raise error
    (told,) = recorder.told
    assert told["outcome"] == "failed"
    assert said in told["error"]
    assert len(told["error"].encode()) <= 2000


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_tells_nothing_about_the_code(stop: type[BaseException]) -> None:
    recorder = Recorder()
    with pytest.raises(stop), recorder.run() as run:
        raise stop
    assert (recorder.told, run.recorded) == ([], False)


def test_a_failure_or_a_rejection_may_be_told_without_an_exception() -> None:
    recorder = Recorder()
    with recorder.run() as run:
        run.fail("wrong result")
    with recorder.run() as run:
        run.reject("too large")
    outcomes = [(told["outcome"], told["error"]) for told in recorder.told]
    assert outcomes == [("failed", "wrong result"), ("rejected", "too large")]


def test_a_duration_that_is_known_better_goes_before_the_stopwatch() -> None:
    recorder = Recorder()
    with recorder.run() as run:
        run.add(duration_us=7)
    assert recorder.told[0]["duration_us"] == 7


def test_through_the_client_it_is_in_the_log(client: Client, served: ControlPlane) -> None:
    with client.measure(FLAG, "user-17") as run:
        assert run.enabled is client.is_enabled(FLAG, "user-17")
    assert client.flush(5)
    (recorded,) = served.events(type=BatchExecuted.TYPE)
    assert isinstance(recorded.event, BatchExecuted)
    assert (recorded.event.unit, recorded.event.audience) == ("user-17", "everyone")


def test_what_was_told_wrongly_does_not_undo_the_work(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with client.measure(FLAG, "user-17") as run:
        run.add(surprise=1)
    assert not run.recorded
    assert "could not be recorded" in caplog.text
    assert client.status().accepted == 0
