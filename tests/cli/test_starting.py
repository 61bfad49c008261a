"""From a draft to wave 1, as people do it at a terminal."""

from tests.cli.conftest import Terminal
from tests.cli.plans import RUNBOOK, plan
from tests.journeys.traffic import ENGINEER, FLAG

R = f"{FLAG}-r1"
ASKS_TWO = plan(start={"needed": 2, "of": ["ben", "cleo", "dora"]})


def drafted(terminal: Terminal, **fields: object) -> Terminal:
    terminal.says("rollouts", "draft", FLAG, "--plan", terminal.writes(plan(**fields)))
    return terminal


def test_two_people_approve_a_start_that_a_third_asked_for(flagged: Terminal) -> None:
    file = flagged.writes(ASKS_TWO)
    assert f"{R} is a draft: controlplane rollouts submit {R}" in flagged.says(
        "rollouts", "draft", FLAG, "--plan", file
    )
    assert "submit it first" in flagged.refuses("rollouts", "start", R)
    assert "is pending approval" in flagged.says("rollouts", "submit", R)
    approve = ("rollouts", "approve-start", R, "--actor")
    assert "A second person must" in flagged.refuses(*approve, ENGINEER.upper())
    assert "ben, cleo, dora" in flagged.refuses(*approve, "eve")
    assert "is pending approval" in flagged.says(*approve, "ben")
    assert "approved the start" in flagged.refuses(*approve, "ben")
    assert "its start has 1 of 2 approvals" in flagged.says("rollouts", "status", R)
    assert f"is armed: controlplane rollouts start {R}" in flagged.says(*approve, "cleo")
    assert "entering, half at 50 %" in flagged.says("rollouts", "start", R)
    approvals = flagged.data("rollouts", "status", R)["start_approvals"]
    assert [one["by"] for one in approvals] == ["ben", "cleo"]
    assert all(one["at"].endswith("Z") for one in approvals)


def test_another_plan_needs_its_approvals_anew(flagged: Terminal) -> None:
    drafted(flagged, start={"needed": 1})
    flagged.says("rollouts", "submit", R)
    flagged.says("rollouts", "approve-start", R, "--actor", "ben")
    file = flagged.writes(plan(start={"needed": 1}, version="2"))
    assert "is a draft" in flagged.says("rollouts", "revise", R, "--plan", file)
    assert "submit it first" in flagged.refuses("rollouts", "start", R)
    assert flagged.data("rollouts", "plan", R)["version"] == "2"


def test_a_rejected_start_goes_back_to_its_authors(flagged: Terminal) -> None:
    drafted(flagged, start={"needed": 1})
    flagged.says("rollouts", "submit", R)
    words = ("rollouts", "reject-start", R, "--reason", "not on a Friday", "--actor", "ben")
    assert "is a draft" in flagged.says(*words)
    assert "start rejected" not in flagged.says("rollouts", "status", R)
    assert "rejected by ben: not on a Friday" in flagged.says("rollouts", "explain", R)


def test_a_draft_whose_plan_asks_for_nobody_starts_by_its_id(flagged: Terminal) -> None:
    drafted(flagged)
    assert f"{R} is entering" in flagged.says("rollouts", "start", R)


def test_a_draft_keeps_its_plan_when_it_starts(flagged: Terminal) -> None:
    drafted(flagged)
    file = flagged.writes(plan(version="2"))
    advice = f"controlplane rollouts revise {R} --plan {file}"
    assert advice in flagged.refuses("rollouts", "start", R, "--plan", file)


def test_what_must_be_vouched_for_holds_the_start(flagged: Terminal) -> None:
    drafted(flagged, before_start=[RUNBOOK])
    assert f"controlplane rollouts checklist {R}" in flagged.refuses("rollouts", "start", R)
    sign = ("rollouts", "sign-off", R, "runbook", "--actor", "ben")
    assert "in the role on-call: give --role" in flagged.refuses(*sign)
    assert "to sign off: runbook" in flagged.says("rollouts", "status", R)
    assert "runbook has 1 of 1 sign-offs by on-call" in flagged.says(*sign, "--role", "on-call")
    (item,) = flagged.data("rollouts", "checklist", R)
    assert (item["before"], item["done"], item["signed_by"]) == ("start", True, ["ben"])
    assert "entering" in flagged.says("rollouts", "start", R)


def test_a_start_may_be_left_to_the_clock(flagged: Terminal) -> None:
    drafted(flagged)
    late = "2100-01-01T00:00Z"
    told = flagged.says("rollouts", "submit", R, "--start-at", late)
    assert "is armed: it starts by itself at 2100-01-01T00:00:00Z" in told
    assert flagged.data("rollouts", "status", R)["start_at"] == "2100-01-01T00:00:00.000000Z"


def test_a_draft_that_is_aborted_never_began(flagged: Terminal) -> None:
    drafted(flagged)
    assert "is cancelled: no" in flagged.says("rollouts", "abort", R, "--reason", "no")
    assert "cannot be started: it is cancelled" in flagged.refuses("rollouts", "start", R)
    assert "it was cancelled: no" in flagged.says("rollouts", "status", R)


def test_an_attempt_that_is_over_is_tried_again_with_its_plan(flagged: Terminal) -> None:
    file = flagged.writes(plan(version="7"))
    flagged.says("rollouts", "start", FLAG, "--plan", file)
    assert "cannot be tried again" in flagged.refuses("rollouts", "retry", R)
    flagged.says("rollouts", "abort", R, "--reason", "too early")
    again = flagged.data("rollouts", "retry", R)
    assert (again["id"], again["retry_of"], again["state"]) == (f"{FLAG}-r2", R, "entering")
    assert flagged.data("rollouts", "plan", f"{FLAG}-r2")["version"] == "7"


def test_nothing_starts_while_a_freeze_is_on(flagged: Terminal) -> None:
    flagged.says("freezes", "declare", "--reason", "audit")
    assert "Nothing starts now" in flagged.refuses("rollouts", "start", FLAG)
