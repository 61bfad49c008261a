"""`controlplane workload`: the example service, run against a database."""

import os
import random  # noqa: TID251  why: seeded, and handed down as an argument
import socket
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import typer
from batchpatch import Batch, FaultInjector, Faults, PatchService, Pipeline, edits, population

from controlplane import clock
from controlplane.bucketing import Explanation
from controlplane.cli.output import clean, errors, line, opened, progress
from controlplane.errors import InvalidInput
from controlplane.plane import ControlPlane

FLAG = "batch-patches-v1"
USERS = 2000
_PORTION = 100


class Incident(StrEnum):
    """What can be broken on purpose, in the new path."""

    ERRORS = "errors"
    SLOW = "slow"
    VIOLATIONS = "violations"
    LEAK = "leak"

    def faults(self) -> Faults:
        """The faults to switch on."""
        return Faults(**{self.value: True})


@dataclass(frozen=True)
class Recorder:
    """What the service needs of the control plane: two calls."""

    plane: ControlPlane

    def evaluate(self, flag: str, unit: str, attributes: Any) -> Explanation:
        """Ask the flag."""
        return self.plane.flags.evaluate(flag, unit, attributes)

    def record(self, executions: list[dict[str, Any]]) -> None:
        """Tell what was measured. Raises InvalidInput where something was not kept."""
        answer = self.plane.executions.record(executions)
        if answer.refused:
            first = answer.refused[0]
            raise InvalidInput(
                reason=f"{len(answer.refused)} executions were refused; the first: {first.reason}"
            )


class Workload:
    """Users who edit documents, one batch after the other."""

    def __init__(self, plane: ControlPlane, batches: list[Batch], flag: str = FLAG) -> None:
        # Chance is seeded: two runs over one history do the same work.
        chance = random.Random(20261123)  # noqa: S311  why: no secrets here
        self.injector = FaultInjector(chance)
        self._service = PatchService(
            Recorder(plane),
            Pipeline(self.injector),
            flag=flag,
            new_id=clock.new_id,
            now_us=clock.now,
            instance=f"{socket.gethostname()}:{os.getpid()}",
        )
        self._batches = cycle(batches)
        self._users = population(USERS)
        self._chance = chance

    def run(self, count: int) -> None:
        """Apply the next so many batches, each for some user, and record them."""
        for _ in range(count):
            self._service.handle(self._chance.choice(self._users), next(self._batches))
        self._service.flush()


def real_edits(repo: Path | None) -> tuple[list[Batch], str]:
    """Batches from a git history, or from the standard library. Raises InvalidInput for none."""
    if repo is not None and not repo.is_dir():
        raise InvalidInput(reason=f"{repo} is not a folder")
    batches, source = edits(repo or Path.cwd(), 500)
    if not batches:
        raise InvalidInput(reason="no edits were found to apply")
    return batches, source


Repo = Annotated[
    Path | None, typer.Option(help="A git repository to take edits from; default: this folder's.")
]


def workload(
    *,
    batches: Annotated[int, typer.Option(min=1, help="How many to apply.")] = 1000,
    flag: Annotated[str, typer.Option(help="The flag that picks the path.")] = FLAG,
    repo: Repo = None,
    fault: Annotated[Incident | None, typer.Option(help="Break the new path.")] = None,
) -> None:
    """Run the example service: real edits, real users, every batch recorded."""
    found, source = real_edits(repo)
    errors.print(clean(source), soft_wrap=True)
    with opened() as plane:
        plane.flags.get(flag)
        work = Workload(plane, found, flag)
        if fault is not None:
            work.injector.faults = fault.faults()
        before = plane.metrics.total(flag)
        with progress("applying batches") as moved:
            for done in range(0, batches, _PORTION):
                work.run(min(_PORTION, batches - done))
                moved(done, batches)
        after = plane.metrics.total(flag)
    line(
        f"{batches} batches applied, {after.executions - before.executions} of them on the new "
        f"path, where {after.failed - before.failed} failed"
    )
