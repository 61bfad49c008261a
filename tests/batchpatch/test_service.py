import json
from collections import Counter
from collections.abc import Mapping
from itertools import count
from random import Random
from typing import Any, NamedTuple

import pytest
from batchpatch import (
    Batch,
    FaultInjector,
    Faults,
    Patch,
    PatchService,
    Pipeline,
    User,
    population,
)

USER = User("user-1", {"group": "beta"})


class Told(NamedTuple):
    enabled: bool
    audience: str | None


class FakeFlags:
    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self.down = False
        self.asked: list[tuple[str, str, Mapping[str, object]]] = []
        self.recorded: list[dict[str, Any]] = []

    def evaluate(self, flag: str, unit: str, attributes: Mapping[str, object]) -> Told:
        self.asked.append((flag, unit, attributes))
        return Told(enabled=self.enabled, audience="beta" if self.enabled else None)

    def record(self, executions: list[dict[str, Any]]) -> int:
        if self.down:
            raise ConnectionError
        self.recorded += executions
        return len(executions)


def service(flags: FakeFlags, pipeline: Pipeline | None = None, **about: Any) -> PatchService:
    ids = count(1)
    return PatchService(
        flags,
        pipeline or Pipeline(),
        flag="batch-patch",
        new_id=lambda: f"id-{next(ids)}",
        now_us=lambda: 1_700_000_000_000_000,
        **about,
    )


@pytest.mark.parametrize(("enabled", "cohort"), [(True, "on"), (False, "off")])
def test_the_flag_picks_the_path(enabled: bool, cohort: str, batch: Batch) -> None:  # noqa: FBT001  why: a case
    flags = FakeFlags(enabled=enabled)
    patches = service(flags)
    assert patches.handle(USER, batch) == batch.expected
    assert flags.recorded == []
    patches.flush()
    (execution,) = flags.recorded
    assert flags.asked == [("batch-patch", "user-1", {"group": "beta"})]
    assert execution["cohort"] == cohort
    assert execution["outcome"] == "succeeded"
    assert enabled or execution["executor_us"] == 0


def test_an_execution_carries_every_measurement(batch: Batch) -> None:
    flags = FakeFlags(enabled=True)
    patches = service(flags)
    patches.handle(USER, batch)
    patches.flush()
    (execution,) = flags.recorded
    # fmt: off
    assert set(execution) == {
        "id", "occurred_at", "flag", "cohort", "unit", "audience", "outcome", "error",
        "violations", "instance",
        "duration_us", "semantics_us", "normalizer_us", "executor_us",
        "replace", "insert", "delete", "patches_applied", "patches_failed",
        "memory_current_bytes", "memory_peak_bytes",
    }
    # fmt: on
    assert json.loads(json.dumps(execution)) == execution
    assert execution["id"] == "id-1"
    assert execution["occurred_at"] == 1_700_000_000_000_000
    assert execution["unit"] == "user-1"


@pytest.mark.parametrize(("about", "instance"), [({}, ""), ({"instance": "web-1:7"}, "web-1:7")])
def test_memory_is_told_with_the_process_it_is_of(about: Any, instance: str, batch: Batch) -> None:
    flags = FakeFlags(enabled=True)
    patches = service(flags, **about)
    patches.handle(USER, batch)
    patches.flush()
    assert [execution["instance"] for execution in flags.recorded] == [instance]


def test_when_the_new_path_fails_the_caller_still_gets_the_text(rng: Random, batch: Batch) -> None:
    flags = FakeFlags(enabled=True)
    patches = service(flags, Pipeline(FaultInjector(rng, Faults(errors=True, rate=1))))
    assert patches.handle(USER, batch) == batch.expected
    patches.flush()
    (execution,) = flags.recorded
    assert (execution["cohort"], execution["outcome"]) == ("on", "failed")


def test_a_wrong_batch_gives_the_original_document_back() -> None:
    for enabled in (True, False):
        flags = FakeFlags(enabled=enabled)
        wrong = Batch("abc", (Patch.between(2, 9, "x"),))
        assert service(flags).handle(USER, wrong) == "abc"


def test_what_could_not_be_sent_is_sent_the_next_time(batch: Batch) -> None:
    flags = FakeFlags(enabled=True)
    patches = service(flags)
    patches.handle(USER, batch)
    flags.down = True
    with pytest.raises(ConnectionError):
        patches.flush()
    flags.down = False
    patches.flush()
    patches.flush()
    assert [execution["id"] for execution in flags.recorded] == ["id-1"]


def test_the_population_has_the_groups_in_their_shares() -> None:
    groups = Counter(user.attributes["group"] for user in population(10_000))
    assert groups["internal"] == pytest.approx(4000, abs=200)
    assert groups["beta"] == pytest.approx(3000, abs=200)
    assert groups["public"] == pytest.approx(3000, abs=200)


def test_a_user_is_the_same_however_many_there_are() -> None:
    assert population(100)[:10] == population(10)
    assert [user.id for user in population(2)] == ["user-0", "user-1"]
    assert population(100, seed=1) != population(100, seed=2)


def test_a_share_of_zero_has_nobody() -> None:
    users = population(200, shares={"internal": 0, "beta": 1, "public": 0})
    assert {user.attributes["group"] for user in users} == {"beta"}
