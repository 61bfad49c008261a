"""Plays one story through the API and keeps what was asked and answered.

    python -m tests.http.telling

The OpenAPI document shows it as examples, from controlplane/http/examples.json. After a change of
what is asked or answered, tell it anew.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

from controlplane import ControlPlane
from controlplane.http.examples import FILE
from events.timestamps import HOUR, MINUTE, parse, to_iso
from tests.conftest import Clock
from tests.house.sources import ROOT
from tests.http.story import Story
from tests.journeys.traffic import FLAG, batch
from tests.plane.outbox import ATTEMPTS, FAILED, Outbox, turn

R1 = f"{FLAG}-r1"
SHOP = "checkout-button"
ITEM = {"name": "team", "area": "team", "text": "Somebody is on call."}
CRITERIA = [
    {"kind": "rate_below", "name": "error_rate", "bound": 0.05},
    {"kind": "external", "name": "load_test", "url": "https://checks.example.com/load"},
]
PLAN = {
    "name": "quick",
    "before_start": [ITEM],
    "start": {"needed": 1},
    "waves": [
        {"name": wave, "percentage": percentage, "hold": "30m", "criteria": CRITERIA}
        for wave, percentage in (("half", 50), ("all", 100))
    ],
}
AT_ONCE = {key: PLAN[key] for key in ("name", "waves")}
HOOK = {"url": "https://hooks.example.com/rollouts", "secret": "deploys", "types": ["flag.*"]}
SECRET = {"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def flags(story: Story) -> None:
    tell = story.tell
    tell("create_flag", {"name": FLAG, "owner": "patch-team", "description": "three layers"})
    tell("describe_flag", {"tags": ["patches"]}, flag=FLAG)
    tell("enable_flag", {"percentage": 5, "reason": "a first look"}, flag=FLAG)
    beta = {"attribute": "group", "operator": "equals", "value": "beta"}
    audience = {"name": "beta", "conditions": [beta]}
    tell("set_percentage", {"percentage": 25, "audience": audience}, flag=FLAG)
    exposed = tell("get_flag", flag=FLAG)["position"]
    question = {"unit": "user-17", "attributes": {"group": "beta"}}
    tell("explain_flag", question, flag=FLAG)
    context = {"context": {"targetingKey": "user-17", "group": "beta"}}
    tell("evaluate_flag", context, key=FLAG)
    tell("evaluate_flags", context)
    story.clock.advance(MINUTE)
    tell("disable_flag", {"reason": "INC-7: the normalizer drops rows"}, flag=FLAG)
    tell("revert_flag", {"at": exposed, "reason": "it was another flag"}, flag=FLAG)
    tell("disable_flag", flag=FLAG)
    tell("past_flag", flag=FLAG, at=exposed)
    tell("past_flags", at=exposed)
    tell("evaluate_past_flag", question, flag=FLAG, at=exposed)
    tell("diff_past", before=exposed, after=story.plane.head().position)
    tell("flag_history", flag=FLAG)
    tell("list_flags")
    tell("create_flag", {"name": SHOP, "owner": "web"})
    colours = [{"name": "blue", "value": "#00f"}, {"name": "plain", "value": "#fff", "weight": 0}]
    tell("define_variants", {"kind": "string", "variants": colours, "default": "plain"}, flag=SHOP)
    tell("admin_flags", {"name": "old-flag", "percentage": 10})
    tell("archive_flag", {"reason": "it is everywhere"}, flag="old-flag")


def alone(story: Story) -> None:
    """Somebody breaks the glass, and others look at that."""
    tell = story.tell
    because = {"percentage": 10, "reason": "INC-8: the old button is down"}
    tell("break_glass", because, flag=SHOP, by="cleo")
    alert = {"flag": SHOP, "rule": "GLASS_BROKEN", "number": 1}
    raised = story.plane.head().position
    tell("list_alerts", open=True)
    tell("list_alert_rules")
    tell("get_alert", **alert)
    tell("acknowledge_alert", {"note": "reading the errors"}, **alert)
    tell("past_alerts", at=raised)
    tell("past_alert", at=raised, **alert)
    tell("list_reviews", open=True)
    tell("get_review", review="review-1")
    tell("close_review", {"note": "it was down, INC-8"}, review="review-1", by="ben")
    story.plane.executions.record([batch(flag=SHOP, ms=1500)])
    story.plane.tick()
    slow = {"flag": SHOP, "rule": "SLOW_BATCH_DETECTED", "number": 1}
    tell("resolve_alert", {"reason": "seen by all"}, **slow)


def incidents(story: Story) -> None:
    """Something is wrong, and people deal with it."""
    tell = story.tell
    declared = {"flag": SHOP, "reason": "customers see old texts", "severity": "warning"}
    tell("declare_incident", declared, by="cleo")
    tell("note_incident", {"note": "only in Safari"}, incident="INC-1", by="ben")
    noted = story.plane.head().position
    story.clock.advance(MINUTE)
    tell("close_incident", {"reason": "a cache; emptied"}, incident="INC-1", by="ben")
    tell("list_incidents", open=False)
    tell("get_incident", incident="INC-1")
    tell("incident_report", incident="INC-1")
    tell("incident_frames", incident="INC-1", limit=2)
    tell("incident_check", incident="INC-1")
    tell("replay_frames", of="INC-1", limit=1)
    tell("replay_check", flag=SHOP, until=noted)
    tell("export_incident", incident="INC-1")
    tell("past_incidents", at=noted)
    tell("past_incident", incident="INC-1", at=noted)


def drafting(story: Story) -> None:
    tell = story.tell
    tell("four_waves")
    of_plan = tell("check_plan", PLAN)
    tell("draft_rollout", {"flag": FLAG, "plan": AT_ONCE})
    tell("explain_rollout", rollout=R1)
    tell("revise_rollout", {"plan": PLAN}, rollout=R1)
    tell("submit_rollout", {"start_at": None}, rollout=R1)
    tell("reject_start", {"reason": "not on a Friday"}, rollout=R1, by="ben")
    tell("submit_rollout", rollout=R1)
    agreed = {"plan_hash": of_plan["plan_hash"], "reason": "read it"}
    tell("approve_start", agreed, rollout=R1, by="ben")
    tell("rollout_checklist", rollout=R1)
    tell("sign_off", {"item": "team", "note": "dora, this week"}, rollout=R1)
    tell("withdraw_sign_off", {"item": "team", "reason": "dora is ill"}, rollout=R1)
    tell("sign_off", {"item": "team", "note": "emil, this week"}, rollout=R1)
    tell("start_draft", rollout=R1)
    tell("rollout_plan", rollout=R1)


def steering(story: Story) -> None:
    tell, why = story.tell, {"reason": "odd output"}
    tell("pause_rollout", why, rollout=R1)
    tell("resume_rollout", {"reason": "it was the test data"}, rollout=R1)
    tell("extend_rollout", {"by": "5m", "reason": "to be sure"}, rollout=R1)
    ask = {"criterion": "load_test", "reason": "no load at night", "lasts": "12h"}
    tell("request_override", ask, rollout=R1)
    override = {"override": f"{R1}-o1"}
    tell("approve_override", {"reason": "agreed"}, **override, by="ben")
    tell("withdraw_override", {"reason": "the test runs again"}, **override)
    story.measured()
    passed = {"criterion": "load_test", "verdict": "PASS", "detail": "300 requests a second"}
    tell("answer_criterion", passed, rollout=R1, by="load-test")
    tell("evaluate_rollout", rollout=R1)
    tell("list_proposals")
    tell("rollout_status", rollout=R1)
    proposed = story.plane.head().position
    not_now = {"reason": "the shop is full"}
    tell("reject_proposal", not_now, proposal=f"{R1}-p1", by="ben")
    tell("resume_rollout", rollout=R1, by="cleo")
    tell("skip_wave", {"reason": "measured for a week elsewhere"}, rollout=R1)
    tell("withdraw_proposal", not_now, proposal=f"{R1}-p2")
    tell("skip_wave", {"reason": "measured for a week elsewhere"}, rollout=R1)
    tell("approve_proposal", {"reason": "all green"}, proposal=f"{R1}-p3", by="ben")
    tell("list_rollouts")
    tell("get_rollout", rollout=R1)
    tell("verify_rollout", rollout=R1)
    tell("past_rollouts", at=proposed)
    tell("past_rollout", rollout=R1, at=proposed)
    tell("past_rollout_status", rollout=R1, at=proposed)
    tell("abort_rollout", {"reason": "INC-9"}, rollout=R1)
    stricter = {"name": "tighter rules", "rules": {"ERROR_RATE_CRITICAL": {"threshold": 0.1}}}
    tell("rehearse", {"rulebooks": [stricter], "rollout": R1})
    tell("retry_rollout", rollout=R1)
    tell("create_flag", {"name": "new-search", "owner": "search"})
    tell("start_rollout", {"flag": "new-search", "plan": AT_ONCE})


def measuring(story: Story) -> None:
    tell, now = story.tell, story.clock.now
    tell("record_executions", [batch(id=story.plane._core.new_id(), ms=41)])
    tell("metric_totals")
    window = {"since": to_iso(now - HOUR), "until": to_iso(now + MINUTE), "limit": 60}
    tell("metric_minutes", flag=FLAG, **window)
    tell("past_totals", at=story.plane.head().position)
    tell("list_projections")
    tell("verify_projections")
    tell("rebuild_projection", name="flags")
    tell("prune_projections")
    story.plane.candidate("web-1:4711", evaluates_every_us=15 * MINUTE).renew()
    tell("get_schedule")


def recording(story: Story) -> None:
    tell = story.tell
    tell("declare_freeze", {"reason": "peak season", "flags": [FLAG]})
    tell("list_freezes")
    tell("get_freeze", freeze="freeze-1")
    tell("lift_freeze", {"reason": "it is over"}, freeze="freeze-1")
    tell("list_events", type="flag.*", limit=2)
    tell("list_events", type="flag.*", limit=2, format="cloudevents")
    tell("get_event", position=1)
    tell("get_event", position=1, format="cloudevents")
    head = tell("log_head")
    tell("verify_log", {"expect": f"{head['position']}:{head['hash']}"})
    tell("who_am_i")
    token = tell("issue_token", {"owner": "ben", "roles": ["operator"], "scopes": ["flag:batch-*"]})
    tell("list_tokens")
    tell("get_token", token=token["id"])
    tell("revoke_token", {"reason": "ben moved on"}, token=token["id"])
    tell("front")
    tell("livez")
    tell("readyz")


def webhooks(story: Story) -> None:
    tell, hook = story.tell, {"webhook": "webhook-1"}
    tell("register_webhook", HOOK)
    tell("change_webhook", {"types": ["flag.*", "alert.raised"]}, **hook)
    tell("try_webhook", **hook)
    tell("pause_webhook", {"reason": "they move house"}, **hook)
    tell("resume_webhook", {"reason": "they moved"}, **hook)
    for percentage in (11, 12, 13):
        tell("admin_flags", {"name": "old-search", "percentage": percentage})
    story.outbox.answer = lambda _webhook, _event: FAILED
    deliverer = story.outbox.deliverer(story.plane)
    for _ in range(3 * ATTEMPTS):
        story.clock.advance(5 * HOUR)
        turn(deliverer)
    deliverer.close()
    dead = tell("list_dead_letters", **hook, limit=2)["items"]
    tell("redeliver_dead_letter", **hook, position=dead[0]["position"])
    tell("redeliver_dead_letters", **hook)
    tell("get_webhook", **hook)
    tell("list_webhooks")
    tell("remove_webhook", **hook, reason="nobody reads it any more")


def auditing(story: Story) -> None:
    tell = story.tell
    tell("audit_events", slice="rollouts", kind="person", newest_first=True, limit=1)
    tell("audit_events", slice="freezes", limit=1, format="cloudevents")
    tell("audit_counts", slice="flags", group_by=["actor", "type"], limit=3)
    (lifted,) = story.plane.events(type="freeze.lifted")
    tell("audit_why", position=lifted.position)
    story._client.post(f"/api/v1/rollouts/{R1}/start", headers={"X-Actor": "ana"})  # Too late.
    tell("audit_denied")
    tell("audit_approvals", limit=1)
    tell("rollout_approvals", rollout=R1, newest_first=True, limit=1)
    tell("rollout_timeline", rollout=R1, limit=2)
    tell("flag_changes", flag=FLAG, newest_first=True, limit=2)


@contextmanager
def told() -> Iterator[Story]:
    """The whole story."""
    numbers, clock = count(1), Clock(parse("2026-11-20T14:00:00Z"))
    outbox = Outbox()
    os.environ.update(SECRET)
    with ControlPlane(
        "memory://",
        clock=clock,
        new_id=lambda: f"01a2095d-dc8a-7f2f-bd13-{next(numbers):012x}",
        chance=lambda size: bytes(range(size)),
    ) as plane:
        # Without a network.
        plane.webhooks._outgoing = replace(plane.webhooks._outgoing, send=outbox)
        story = Story(plane, clock, outbox)
        chapters = (
            flags,
            alone,
            incidents,
            drafting,
            steering,
            measuring,
            recording,
            webhooks,
            auditing,
        )
        for chapter in chapters:
            chapter(story)
        yield story


if __name__ == "__main__":
    with told() as story:
        lines = (
            f"{json.dumps(name)}: {json.dumps(found, ensure_ascii=False)}"
            for name, found in sorted(story.told.items())
        )
        text = "{\n" + ",\n".join(lines) + "\n}\n"
    (ROOT / "controlplane" / "http" / FILE).write_text(text, encoding="utf-8")
