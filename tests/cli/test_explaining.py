"""Why it stands where it does, or stood at any moment, and whether that can be shown again."""

import json
import re
import sqlite3

from controlplane import ControlPlane, plans
from controlplane.plan_schema import json_schema
from events.timestamps import SECOND
from tests.cli.conftest import Terminal
from tests.cli.plans import RATE, plan
from tests.house.sources import ROOT
from tests.journeys.traffic import FLAG

R = f"{FLAG}-r1"


def promoted(terminal: Terminal) -> Terminal:
    """Wave 1 was proposed and approved."""
    terminal.says("rollouts", "start", FLAG, "--plan", terminal.writes(plan()))
    terminal.serves()
    terminal.says("rollouts", "evaluate", R)
    terminal.says("rollouts", "approve", f"{R}-p1", "--actor", "ben", "--reason", "all green")
    return terminal


def position(terminal: Terminal, type_: str) -> int:
    found: int = terminal.data("events", "query", "--type", type_)[-1]["position"]
    return found


def test_what_was_so_then_is_told_as_it_was_then(flagged: Terminal) -> None:
    promoted(flagged)
    before = position(flagged, "rollout.proposal_approved") - 1
    then = flagged.says("rollouts", "explain", R, "--at", str(before))
    assert f"log position {before}" in then
    assert f"{R}: proposed, half (stage 1 of 2)" in then
    assert f"half at 50 %: every criterion passes; {R}-p1 has 0 of 1 approvals" in then
    assert "approved by ben" not in then
    now = flagged.says("rollouts", "explain", R)
    assert f"{R}: entering, all (stage 2 of 2)" in now
    assert f"{R}-p1 approved by ben: all green" in now


def test_a_moment_is_as_good_as_a_position(flagged: Terminal) -> None:
    promoted(flagged)
    (event,) = flagged.data("events", "query", "--type", "rollout.promotion_proposed")
    by_moment = flagged.data("rollouts", "explain", R, "--at", event["recorded_at"])
    by_position = flagged.data("rollouts", "explain", R, "--at", str(by_moment["position"]))
    assert by_moment == by_position
    assert by_moment["history"][-1]["type"] in (
        "rollout.promotion_proposed",
        "rollout.bake_completed",
    )


def test_what_cannot_be_told_is_refused_in_a_line(running: Terminal) -> None:
    explain = ("rollouts", "explain", R, "--at")
    assert "the log has positions 1 to 7" in running.refuses(*explain, "8")
    assert "is still to come" in running.refuses(*explain, "2100-01-01T00:00Z")
    assert "nothing had been recorded" in running.refuses(*explain, "2020-01-01T00:00Z")
    assert "is no moment" in running.refuses(*explain, "yesterday")
    assert "There is no rollout" in running.refuses(*explain, "1")


def test_a_long_history_is_shown_from_its_end(flagged: Terminal) -> None:
    promoted(flagged)
    for _ in range(10):
        flagged.says("rollouts", "pause", R, "--reason", "lunch")
        flagged.says("rollouts", "resume", R)
    shown = flagged.says("rollouts", "explain", R)
    assert "the last 20 of " in shown
    assert f"--stream rollout-{R}" in shown
    assert "rollout.drafted" not in shown
    assert len(flagged.data("rollouts", "explain", R)["history"]) > 20


def test_what_was_judged_comes_out_the_same_again(flagged: Terminal) -> None:
    promoted(flagged)
    told = flagged.says("rollouts", "verify", R)
    assert told == "2 judgements and 1 proposal recomputed from the log: identical\n"
    assert flagged.data("rollouts", "verify", R)["identical"]


def test_a_judgement_that_was_altered_is_shown_beside_the_true_one(flagged: Terminal) -> None:
    promoted(flagged)
    with sqlite3.connect(flagged.folder / "terminal.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE event_log SET data = replace(data, '0 of 200 failed', '1 of 200 failed') "
            "WHERE type = 'rollout.wave_judged'"
        )
    said = flagged.run("rollouts", "verify", R)
    assert (said.exit_code, said.stderr) == (1, "")
    assert "recomputed from the log: 2 differ" in said.stdout
    assert "1 of 200 failed" in said.stdout
    assert "0 of 200 failed" in said.stdout
    data = json.loads(flagged.run("rollouts", "verify", R, "--json").stdout)
    assert (data["identical"], len(data["differences"])) == (False, 2)


def test_a_bake_that_is_under_way_says_when_it_is_ready(flagged: Terminal) -> None:
    file = flagged.writes(plan(RATE, hold="30h"))
    flagged.says("rollouts", "start", FLAG, "--plan", file)
    flagged.serves()
    shown = flagged.says("rollouts", "status", R)
    assert "200 executions in this wave, 0 failed" in shown
    assert "of 30h" in shown
    (bake,) = [line.split() for line in shown.splitlines() if line.startswith("  bake_time")]
    assert bake[:3] == ["bake_time", "INCONCLUSIVE", "30h"]


def test_who_waits_is_told_when_somebody_looks_next(flagged: Terminal) -> None:
    flagged.says("rollouts", "start", FLAG)
    assert "next look: never: nobody looks" in flagged.says("rollouts", "status", R)
    assert flagged.data("rollouts", "status", R)["next_look_at"] is None
    with ControlPlane(flagged.database) as plane:
        assert plane.candidate("me", evaluates_every_us=60 * SECOND).renew()
    assert re.search(r"next look: 20\d\d-.*Z", flagged.says("rollouts", "status", R))
    assert flagged.data("rollouts", "status", R)["next_look_at"].endswith("Z")
    flagged.says("rollouts", "abort", R, "--reason", "enough")
    flagged.says("flags", "enable", FLAG, "--percentage", "1")
    flagged.says("rollouts", "evaluate", R)
    assert "next look" not in flagged.says("rollouts", "status", R)


def test_the_schema_is_shipped_as_it_is_printed(terminal: Terminal) -> None:
    shipped = (ROOT / "controlplane" / "plan.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == json_schema()
    assert terminal.says("rollouts", "schema") == shipped


def test_the_example_plans_are_plans_and_point_to_the_schema() -> None:
    for file in sorted((ROOT / "examples" / "plans").glob("*.yaml")):
        assert plans.read(file).waves
        hint = file.read_text(encoding="utf-8").splitlines()[0]
        _, _, schema = hint.partition("# yaml-language-server: $schema=")
        assert (file.parent / schema).resolve() == ROOT / "controlplane" / "plan.schema.json"
