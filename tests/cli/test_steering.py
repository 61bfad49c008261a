"""What people do to a rollout that runs, at a terminal."""

import pytest

from tests.cli.conftest import Terminal
from tests.cli.plans import BILLING, LOOKED, RATE, plan
from tests.journeys.traffic import ENGINEER, FLAG

R = f"{FLAG}-r1"
PROPOSAL, OVERRIDE = f"{R}-p1", f"{R}-o1"


def started(terminal: Terminal, *criteria: object, **fields: object) -> Terminal:
    """In wave 1, with all the evidence that numbers can give."""
    terminal.says("rollouts", "start", FLAG, "--plan", terminal.writes(plan(*criteria, **fields)))
    terminal.serves()
    return terminal


def evaluated(terminal: Terminal) -> str:
    return terminal.says("rollouts", "evaluate", R)


def test_as_many_approve_as_the_plan_asks_for(flagged: Terminal) -> None:
    started(flagged, promotion={"needed": 2})
    assert f"is proposed, half at 50 %: every criterion passes; {PROPOSAL} has 0 of 2" in evaluated(
        flagged
    )
    approve = ("rollouts", "approve", PROPOSAL, "--actor")
    assert f"{PROPOSAL} has 1 of 2 approvals" in flagged.says(*approve, "ben")
    assert "each approval is another person" in flagged.refuses(*approve, "Ben")
    waits = flagged.says("rollouts", "proposals")
    assert "1 of 2" in waits
    assert ENGINEER in waits
    assert "evaluation" not in waits
    assert "1 of 2 approvals (ben)" in flagged.says("rollouts", "status", R)
    assert "is entering, all at 100 %" in flagged.says(*approve, "cleo")


def test_a_paused_wave_is_held_until_somebody_resumes_it(flagged: Terminal) -> None:
    started(flagged)
    flagged.says("rollouts", "pause", R, "--reason", "lunch")
    assert "is holding, half at 50 %: paused by release-engineer: lunch" in evaluated(flagged)
    shown = flagged.says("rollouts", "status", R)
    assert "half at 50 % is not promoted: paused by release-engineer: lunch" in shown
    assert f"to go on: controlplane rollouts resume {R}" in shown
    (hold,) = flagged.data("rollouts", "status", R)["holds"]
    assert (hold["kind"], hold["since"][-1]) == ("paused", "Z")
    flagged.says("rollouts", "resume", R)
    assert "is proposed" in evaluated(flagged)
    assert "Nobody holds" in flagged.refuses("rollouts", "resume", R)


def test_whoever_asked_does_not_undo_a_rejection(flagged: Terminal) -> None:
    started(flagged)
    evaluated(flagged)
    words = ("rollouts", "reject", PROPOSAL, "--reason", "odd output", "--actor", "ben")
    assert "is holding, half at 50 %: rejected by ben: odd output" in flagged.says(*words)
    assert "A second person must" in flagged.refuses("rollouts", "resume", R)
    assert "is evaluating" in flagged.says("rollouts", "resume", R, "--actor", "ben")


def test_a_proposal_that_is_taken_back_holds_the_wave(flagged: Terminal) -> None:
    started(flagged)
    evaluated(flagged)
    told = flagged.says("rollouts", "withdraw", PROPOSAL, "--reason", "one more look")
    assert "withdrawn by release-engineer: one more look" in told
    assert "is evaluating" in flagged.says("rollouts", "resume", R)
    assert f"{R}-p2 has 0 of 1 approvals" in evaluated(flagged)


def test_a_second_person_overrides_what_does_not_pass(flagged: Terminal) -> None:
    started(flagged, RATE, LOOKED)
    assert "looked: 0 of 1 lead sign-offs" in evaluated(flagged)
    words = ("rollouts", "override", R, "looked", "--reason", "lead is away", "--for", "2h")
    assert f"{OVERRIDE}: looked need not pass until " in flagged.says(*words)
    assert f"approve-override {OVERRIDE} --actor YOU" in flagged.says("rollouts", "status", R)
    approve = ("rollouts", "approve-override", OVERRIDE, "--actor")
    assert "A second person must" in flagged.refuses(*approve, ENGINEER)
    assert "once a second person" not in flagged.says(*approve, "ben")
    assert "every criterion passes, looked overridden" in evaluated(flagged)
    shown = flagged.says("rollouts", "status", R)
    assert "overridden; 0 of 1 lead sign-offs" in shown
    assert "(lead is away), approved by ben" in shown
    assert flagged.data("rollouts", "status", R)["overridden"] == ["looked"]


def test_an_override_that_is_withdrawn_stands_in_for_nothing(flagged: Terminal) -> None:
    started(flagged, RATE, LOOKED)
    flagged.says("rollouts", "override", R, "looked", "--reason", "lead is away")
    flagged.says("rollouts", "approve-override", OVERRIDE, "--actor", "ben")
    assert "is withdrawn" in flagged.says(
        "rollouts", "withdraw-override", OVERRIDE, "--reason", "back"
    )
    assert "looked: 0 of 1 lead sign-offs" in evaluated(flagged)


def test_a_failure_is_neither_overridden_nor_skipped(flagged: Terminal) -> None:
    started(flagged, RATE | {"on_fail": "hold"})
    flagged.serves(100, failed=True)
    assert "is holding" in evaluated(flagged)
    why = ("--reason", "we know")
    for words in (("override", R, "error_rate", *why), ("skip", R, *why)):
        refused = flagged.refuses("rollouts", *words)
        assert "a failure stands for the attempt" in refused
        assert f"controlplane rollouts retry {R}" in refused


def test_a_wave_is_skipped_by_two_people(flagged: Terminal) -> None:
    started(flagged, RATE, LOOKED)
    told = flagged.says("rollouts", "skip", R, "--reason", "a fix must go out")
    assert f"{PROPOSAL} proposes to skip half, on to all" in told
    assert f"skip {PROPOSAL} to all expires " in flagged.says("rollouts", "status", R)
    assert "half → all, skipped" in flagged.says("rollouts", "proposals")
    assert "A second person must" in flagged.refuses("rollouts", "approve", PROPOSAL)
    promoted = flagged.says("rollouts", "approve", PROPOSAL, "--actor", "ben")
    assert "is entering, all at 100 %" in promoted


def test_a_wave_is_watched_for_longer(flagged: Terminal) -> None:
    started(flagged)
    flagged.says("rollouts", "extend", R, "6h", "--reason", "one more night")
    shown = flagged.says("rollouts", "status", R)
    assert "of 6h, 6h of it added" in shown
    assert "bake_time: 6h of 6h to go" in shown


@pytest.mark.parametrize(("verdict", "state"), [("pass", "proposed"), ("fail", "holding")])
def test_something_outside_answers(flagged: Terminal, verdict: str, state: str) -> None:
    started(flagged, RATE, BILLING)
    answer = ("rollouts", "answer", R, "billing", verdict, "--detail", "1 of 3 invoices")
    told = flagged.says(*answer, "--actor", "billing")
    assert f"billing answered {verdict.upper()}" in told
    assert f"is {state}" in evaluated(flagged)
    assert "1 of 3 invoices" in flagged.says("rollouts", "status", R)


def test_a_manual_criterion_is_on_the_checklist_of_its_wave(flagged: Terminal) -> None:
    started(flagged, RATE, LOOKED)
    sign = ("rollouts", "sign-off", R, "looked", "--actor", "ben", "--role", "lead")
    assert "looked has 1 of 1 sign-offs by lead" in flagged.says(*sign)
    (item,) = flagged.data("rollouts", "checklist", R)
    assert (item["item"], item["before"], item["signed_by"]) == ("looked", "all", ["ben"])
    assert "is proposed" in evaluated(flagged)


def test_a_rollback_is_followed_until_it_is_confirmed(flagged: Terminal) -> None:
    started(flagged)
    flagged.says("rollouts", "abort", R, "--reason", "wrong results")
    shown = flagged.says("rollouts", "status", R)
    assert f"{R}: rolling back, half (stage 1 of 2), switched off at " in shown
    assert "it is being rolled back: wrong results" in shown
    assert "is off: 0 %" in flagged.says("flags", "show", FLAG)
    flagged.says("flags", "enable", FLAG, "--percentage", "1")
    assert "is rolled back: wrong results" in evaluated(flagged)
