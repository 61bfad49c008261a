"""`controlplane rehearse`: what other plans and rules would have decided."""

import json

import pytest

from controlplane import FOUR_WAVES, ControlPlane
from tests.cli.conftest import Terminal
from tests.journeys.traffic import ENGINEER, FLAG

R1 = f"{FLAG}-r1"


@pytest.fixture
def rolled_back(flagged: Terminal) -> Terminal:
    """Wave 1 of the built-in plan fails by its error rate."""
    flagged.says("rollouts", "start", FLAG)
    flagged.serves(170, audience="internal")
    flagged.serves(60, outcome="failed", audience="internal")
    with ControlPlane(flagged.database) as plane:
        plane.rollouts.evaluate_all()
    plan = FOUR_WAVES.to_json()
    for name, changes in (("same", {}), ("wide", {"percentage": 20}), ("slim", {"percentage": 5})):
        tried = plan | {"waves": [plan["waves"][0] | changes, *plan["waves"][1:]]}
        (flagged.folder / f"{name}.yaml").write_text(json.dumps(tried))
    rules = '{"ERROR_RATE_CRITICAL": {"threshold": 0.1}}'
    (flagged.folder / "tight.yaml").write_text(rules)
    return flagged


def test_the_answer_is_told_in_a_line_and_its_reasons_below(rolled_back: Terminal) -> None:
    said = rolled_back.says("rehearse", "--plan", "same.yaml", "--rollout", R1)
    assert said == f"same on {R1}: same, 1 decision taken again\n"
    first, *below = rolled_back.says("rehearse", "--plan", "wide.yaml", "--rollout", R1).split("\n")
    assert first == f"wide on {R1}: unknown, it goes further than the data"
    assert "it serves 20 % of internal, the record 10 % of internal" in below[0]
    said = rolled_back.says("rehearse", "--plan", "slim.yaml", "--rollout", R1)
    assert f"slim on {R1}: exact, served to fewer in wave 1" in said
    assert "60 of 60 failed executions would not have run" in said


def test_several_stand_side_by_side(rolled_back: Terminal) -> None:
    words = ("rehearse", "--plan", "same.yaml", "--plan", "slim.yaml", "--rules", "tight.yaml")
    found = rolled_back.data(*words)
    assert [one["rulebook"] for one in found["tallies"]] == ["same + tight", "slim + tight"]
    assert [one["answer"] for one in found["outcomes"]] == ["same", "exact"]
    with ControlPlane(rolled_back.database) as plane:
        plane.flags.create("other", owner="x", actor=ENGINEER)
        plane.rollouts.start(flag="other", actor=ENGINEER)
    table = rolled_back.says(*words)
    assert table.startswith("2 cases up to log position ")
    assert "1 went wrong (60 failed executions), 1 did not" in table
    # It goes on where the record was rolled back, with nobody served: the data end there.
    assert (
        "slim + tight  0     2      0        0 of 1         0      1         0        60" in table
    )


def test_what_cannot_be_tried_is_refused(rolled_back: Terminal) -> None:
    refuses = rolled_back.refuses
    assert "say what to try" in refuses("rehearse")
    assert "cannot read rules no.yaml" in refuses("rehearse", "--rules", "no.yaml")
    (rolled_back.folder / "odd.yaml").write_text("ERROR_RATE_CRITICAL: {treshold: 0.1}")
    odd = refuses("rehearse", "--rules", "odd.yaml")
    assert "ERROR_RATE_CRITICAL.treshold: there is no such field" in odd
    assert "there are threshold, minutes, severity" in odd
    (rolled_back.folder / "leak.yaml").write_text("MEMORY_LEAK_DETECTED: {threshold: 3}")
    assert "has no threshold that can be set" in refuses("rehearse", "--rules", "leak.yaml")
    same = ("rehearse", "--plan", "same.yaml")
    assert "There is no rollout" in refuses(*same, "--rollout", f"{FLAG}-r9")
    assert "There is no incident" in refuses(*same, "--incident", "INC-9")
    assert "There is no flag" in refuses(*same, "--flag", "nope")
    assert "leave it out" in refuses(*same, "--rollout", R1, "--since", "1")
    assert "lies before" in refuses(*same, "--since", "9", "--until", "3").replace(
        "must lie", "lies"
    )
    assert "told apart by their names" in refuses(*same, "--plan", "same.yaml")


def test_of_an_empty_log_there_is_nothing_to_rehearse(terminal: Terminal) -> None:
    (terminal.folder / "tight.yaml").write_text("ERROR_RATE_CRITICAL: {threshold: 0.01}")
    ControlPlane(terminal.database).close()
    assert "nothing is recorded yet" in terminal.refuses("rehearse", "--rules", "tight.yaml")
