"""What other plans and rules would have decided, over HTTP."""

import pytest
from starlette.testclient import TestClient

from controlplane import FOUR_WAVES, ControlPlane, rulebook
from controlplane.http import rehearsals
from controlplane.rehearsing_views import rehearsal_view
from events.timestamps import DAY
from tests.conftest import Clock
from tests.http.callers import as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

REHEARSALS = "/api/v1/rehearsals"
R1 = f"{FLAG}-r1"
TIGHT = {"ERROR_RATE_CRITICAL": {"threshold": 0.1}}


@pytest.fixture
def lived(scraped: ControlPlane) -> ControlPlane:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.rollouts.start(flag=FLAG, actor=ENGINEER)
    scraped.executions.record([batch(failed=n < 40, audience="internal") for n in range(120)])
    scraped.rollouts.evaluate_all()
    return scraped


def test_it_answers_as_python_does(lived: ControlPlane) -> None:
    asked = {
        "rulebooks": [
            {"name": "tight", "rules": TIGHT},
            {"name": "the same", "plan": FOUR_WAVES.to_json(), "rules": TIGHT},
        ],
        "rollout": R1,
    }
    before = lived.head()
    found = client(lived, dev=True).post(REHEARSALS, json=asked)
    assert found.status_code == 200
    books = [
        rulebook(rules=TIGHT, name="tight"),
        rulebook(FOUR_WAVES, TIGHT, name="the same"),
    ]
    assert found.json() == as_json(rehearsal_view(lived.rehearse(rulebooks=books, rollout=R1)))
    assert lived.head() == before, "nothing is written, not even that it was asked"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"rulebooks": []}, "rulebooks"),
        ({"rulebooks": [{"name": "x"}]}, "say what to try"),
        ({"rulebooks": [{"name": "x", "rules": {"NO_RULE": {}}}]}, "no rule NO_RULE can be set"),
        ({"rulebooks": [{"name": "x", "plan": {"name": "y"}}]}, "waves: Field required"),
        ({"rulebooks": [{"name": "x", "rules": TIGHT}] * 2}, "a name of its own"),
        ({"rulebooks": [{"name": "x", "rules": TIGHT}], "since": "soon"}, "soon"),
    ],
)
def test_what_cannot_be_tried_is_a_problem(
    lived: ControlPlane, body: dict[str, object], why: str
) -> None:
    found = client(lived, dev=True).post(REHEARSALS, json=body)
    assert found.status_code == 422
    assert why in found.text


def test_to_a_token_for_other_flags_there_is_nothing(lived: ControlPlane) -> None:
    lived.flags.create("other", owner="x", actor=ENGINEER)
    asking: TestClient = holding(lived, "viewer", scopes=["flag:other"])
    tried = {"rulebooks": [{"name": "tight", "rules": TIGHT}]}
    for what in ({"rollout": R1}, {"flag": FLAG}, {"incident": "INC-1"}):
        assert asking.post(REHEARSALS, json=tried | what).status_code == 404
    assert "nothing was decided" in asking.post(REHEARSALS, json=tried).text


def test_more_than_a_moment_of_work_is_refused_beforehand(
    lived: ControlPlane, clock: Clock
) -> None:
    clock.advance(21 * DAY)
    plan = FOUR_WAVES.to_json()
    plan["waves"][0]["criteria"] = [
        {"kind": "rate_below", "bound": 0.5, "name": f"c{number}"} for number in range(50)
    ]
    tried = [{"name": f"r{number}", "plan": plan} for number in range(10)]
    asked = {"rulebooks": tried, "rollout": R1, "every_seconds": 1}
    found = client(lived, dev=True).post(REHEARSALS, json=asked)
    assert found.status_code == 422
    assert "too much for here" in found.json()["detail"]


def test_one_at_a_time_so_that_other_questions_are_answered(lived: ControlPlane) -> None:
    asked = {"rulebooks": [{"name": "tight", "rules": TIGHT}], "rollout": R1}
    with rehearsals._ONE_AT_A_TIME:
        found = client(lived, dev=True).post(REHEARSALS, json=asked)
    assert (found.status_code, found.headers["Retry-After"]) == (429, "10")
    assert client(lived, dev=True).post(REHEARSALS, json=asked).status_code == 200
