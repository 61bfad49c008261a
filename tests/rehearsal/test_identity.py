"""Rehearsing what was really in force decides everything as it was decided, to the letter."""

from collections.abc import Callable
from typing import Any

import pytest

from controlplane.plans import recorded
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rules.catalog import WATCHED
from tests.journeys.traffic import Rolling
from tests.rehearsal.stories import STORIES, as_it_was, only


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_plan_that_ran_decides_everything_as_it_was(
    rolling: Rolling, story: Callable[[Rolling], Any]
) -> None:
    story(rolling)
    plan = recorded(rolling.now.plan)
    rulebook = Rulebook(name="as it was", plan=plan, rules=WATCHED)
    found = only(rolling.plane.rehearse(rulebooks=[rulebook], rollout=rolling.id).outcomes)
    assert (found.answer, found.departures, found.stops, found.beyond) == ("same", (), (), None)
    assert found.identical == found.decisions > 0


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_looks_in_between_alter_nothing(rolling: Rolling, story: Callable[[Rolling], Any]) -> None:
    story(rolling)
    rulebook = as_it_was(rolling.plane, rolling.id)
    found = only(rolling.plane.rehearse(rulebooks=[rulebook], rollout=rolling.id).outcomes)
    assert (found.answer, found.departures, found.stops, found.beyond) == ("same", (), (), None)
    assert found.decisions > 0
