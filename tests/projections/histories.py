"""Random histories: every kind of event, on a few flags and rollouts, in any order of time."""

from collections.abc import Mapping
from typing import Any, get_args

from hypothesis import strategies as st
from msgspec import structs

from events import BatchExecuted, Event
from events.access import GlassBroken, ReviewClosed, TokenIssued, TokenRevoked
from events.alerts import AlertAcknowledged, AlertRaised, AlertResolved
from events.flags import (
    Audience,
    Condition,
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDescribed,
    FlagDisabled,
    FlagEnabled,
    RolloutAttached,
    RolloutDetached,
    Variant,
    VariantsDefined,
)
from events.freezes import FreezeDeclared, FreezeLifted, Window
from events.incidents import IncidentClosed, IncidentJoined, IncidentNoted, IncidentOpened
from events.judgements import Judgement
from events.rollouts import (
    RollbackStarted,
    RolloutEvent,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
)
from events.timestamps import HOUR, MINUTE
from events.webhooks import DeliveryEvent, WebhookEvent
from tests.projections.recording import START, At

flags = st.sampled_from(["checkout", "search", "zürich.7"])
rollouts = st.sampled_from(["checkout-r1", "search-r1", "search-r2"])
times = st.integers(START - HOUR, START + 3 * HOUR)
silences = st.sampled_from([MINUTE, HOUR])
small = st.integers(0, 5)
words = st.sampled_from(["", "why", "ß \U0001f600 “quoted”"])
percentages = st.sampled_from([0.0, 0.001, 10.0, 25.0, 100.0])
verdicts = st.sampled_from(["PASS", "FAIL", "INCONCLUSIVE", "NO_DATA", "ERROR"])
audiences = st.sampled_from(
    [
        Audience("everyone"),
        Audience("beta", (Condition("group", "equals", "beta"),)),
        Audience("beta", (Condition("group", "in", ("beta", "b2")),)),
    ]
)
proposals = st.builds("{}-p{}".format, rollouts, st.integers(1, 2))
alerts = st.builds(
    "{}/{}/{}".format,
    st.sampled_from(["checkout", "search"]),
    st.sampled_from(["ERROR_RATE_CRITICAL", "WAVE_STALLED"]),
    st.integers(1, 3),
)
judgements = st.lists(
    st.builds(
        Judgement,
        criterion=st.sampled_from(["error_rate", "p95"]),
        verdict=verdicts,
        sentence=words,
        numbers=st.dictionaries(st.sampled_from("nk"), st.none() | st.integers(0, 9)),
        progress=st.floats(0, 1),
    ),
    max_size=2,
).map(tuple)

executions: st.SearchStrategy[Event] = st.builds(
    BatchExecuted,
    flag=flags,
    cohort=st.sampled_from(["on", "off"]),
    unit=st.sampled_from(["unit-1", "unit-2", "ß"]),
    audience=st.sampled_from(["", "beta", "everyone"]),
    outcome=st.sampled_from(["succeeded", "succeeded", "failed", "rejected"]),
    duration_us=st.integers(0, 100) | st.integers(0, 20_000_000) | st.integers(0, 2**53),
    semantics_us=small,
    normalizer_us=st.integers(0, 2_000_000),
    executor_us=small,
    replace=small,
    insert=small,
    patches_applied=small,
    patches_failed=small,
    violations=st.dictionaries(st.sampled_from(["order", "ids"]), small, max_size=2),
    memory_current_bytes=st.integers(0, 2**31),
    memory_peak_bytes=st.integers(0, 2**31),
    instance=st.sampled_from(["", "web-1:7", "web-2:9"]),
)

names = st.sampled_from(["on", "off", "blue", "Red.2"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "string": words,
    "number": st.sampled_from([0, 1, 2**53 - 1, -0.0, 1.0, 5e-324, 1e22]),
    "object": st.dictionaries(words, st.none() | st.lists(words) | small, max_size=2),
}


@st.composite
def definitions(draw: st.DrawFn) -> VariantsDefined:
    """What some flag can answer; one variant at least has a weight."""
    kind = draw(st.sampled_from(sorted(VALUES)))
    found = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    weights = [draw(st.integers(1, 3)), *(draw(small) for _ in found[1:])]
    return VariantsDefined(
        flag=draw(flags),
        kind=kind,  # type: ignore[arg-type]  # why: one of them
        variants=tuple(
            Variant(name, draw(VALUES[kind]), weight)
            for name, weight in zip(found, draw(st.permutations(weights)), strict=True)
        ),
        default=draw(st.sampled_from(found)),
        reason=draw(words),
    )


about_flags: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        FlagCreated,
        flag=flags,
        owner=words,
        description=words,
        algorithm=st.just("murmur"),
        salt=words,
    ),
    st.builds(FlagDescribed, flag=flags, owner=words, description=words, tags=st.just(("a", "b"))),
    st.builds(FlagEnabled, flag=flags, reason=words),
    st.builds(
        ExposureChanged,
        flag=flags,
        audience=audiences,
        before=percentages,
        after=percentages,
        reason=words,
    ),
    st.builds(FlagDisabled, flag=flags, reason=words),
    definitions(),
    st.builds(FlagArchived, flag=flags, reason=words),
    st.builds(RolloutAttached, flag=flags, rollout=rollouts),
    st.builds(RolloutDetached, flag=flags, rollout=rollouts),
)

criteria = st.sampled_from(["error_rate", "p95"])
people = st.sampled_from(["alice", "bob", "carol"])
overrides = st.builds("{}-o{}".format, rollouts, st.integers(1, 2))
plans = st.just({"name": "p", "waves": [{"percentage": 10.0}]})
SAID: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["rollout", "retry_of"], rollouts),
    **dict.fromkeys(["attempt", "as_of", "evaluator", "exposure_version", "reports"], small),
    **dict.fromkeys(["approvals", "waves"], st.integers(1, 3)),
    **dict.fromkeys(["plan_hash", "evidence_digest", "name", "to"], words),
    **dict.fromkeys(["reason", "detail", "note"], words),
    **dict.fromkeys(["judged_at", "last_report_at", "expires_at"], times),
    **dict.fromkeys(["max_silence_us", "window_us"], silences),
    **dict.fromkeys(["by_us", "took_us", "settle_us"], st.just(0) | silences),
    **dict.fromkeys(["requested_by", "revised_by", "submitted_by", "approver"], people),
    **dict.fromkeys(["rejected_by", "started_by", "cancelled_by", "proposed_by"], people),
    **dict.fromkeys(["withdrawn_by", "signed_by"], people),
    "audience": audiences,
    "criterion": criteria,
    "flag": flags,
    "item": st.sampled_from(["code", "team"]),
    "judgements": judgements,
    "override": overrides,
    "percentage": percentages,
    "plan": plans,
    "proposal": proposals,
    "role": st.sampled_from(["", "lead"]),
    "start_at": st.none() | times,
    "verdict": verdicts,
    "wave": small,
}
"""What a field of a rollout's event may say, by its name; else whatever its type allows."""


def _said(
    cls: type[Event], said: Mapping[str, st.SearchStrategy[Any]] = SAID
) -> st.SearchStrategy[Event]:
    fields = {one.name: said.get(one.name, st.from_type(one.type)) for one in structs.fields(cls)}
    return st.builds(cls, **fields)


about_rollouts = st.one_of([_said(cls) for cls in get_args(RolloutEvent)])
about_waves = st.one_of(
    [_said(cls) for cls in (RolloutStarted, WaveEntered, SoakStarted, RollbackStarted)]
)

severities = st.sampled_from(["critical", "warning", "info"])
about_alerts: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        AlertRaised,
        alert=alerts,
        rule=words,
        flag=flags,
        severity=severities,
        value=st.floats(0, 1e12),
        threshold=percentages,
        unit=words,
        sample=small,
        summary=words,
    ),
    st.builds(AlertAcknowledged, alert=alerts, note=words),
    st.builds(
        AlertResolved,
        alert=alerts,
        rule=words,
        flag=flags,
        severity=severities,
        reason=words,
        value=st.none() | st.floats(0, 1e12),
        threshold=st.none() | percentages,
        sample=st.none() | small,
    ),
)

freezes = st.sampled_from(["freeze-1", "freeze-2"])
about_freezes: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        FreezeDeclared,
        freeze=freezes,
        name=words,
        reason=words,
        flags=st.just(()) | st.just(("checkout", "search")),
        starts_at=times,
        ends_at=st.none() | times,
        window=st.none()
        | st.builds(
            Window,
            rrule=st.sampled_from([None, "FREQ=WEEKLY;BYDAY=FR"]),
            starts=st.just("2026-11-27T16:00:00"),
            duration_us=st.sampled_from([HOUR, 63 * HOUR]),
            timezone=st.sampled_from(["UTC", "Europe/Berlin"]),
        ),
    ),
    st.builds(FreezeLifted, freeze=freezes, reason=words),
)

_webhooks: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["after"], st.none() | small),
    **dict.fromkeys(["position", "attempts"], st.integers(1, 5)),
    **dict.fromkeys(["reason", "description", "error", "event_id"], words),
    "event_type": st.just("flag.created"),
    "secret": st.just("deploys"),
    "types": st.sampled_from([("*",), ("alert.raised", "flag.*")]),
    "url": st.sampled_from(["https://hooks.example/a", "https://hooks.example/b"]),
    "webhook": st.sampled_from(["webhook-1", "webhook-2"]),
}
about_webhooks = st.one_of(
    [_said(cls, _webhooks) for cls in (*get_args(WebhookEvent), *get_args(DeliveryEvent))]
)

incidents = st.sampled_from(["INC-1", "INC-2"])
about_incidents: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        IncidentOpened,
        incident=incidents,
        flag=flags,
        severity=severities,
        reason=words,
        alert=st.just("") | alerts,
        rollout=st.none() | rollouts,
    ),
    st.builds(IncidentJoined, incident=incidents, flag=flags, alert=alerts, severity=severities),
    st.builds(IncidentNoted, incident=incidents, flag=flags, note=words),
    st.builds(IncidentClosed, incident=incidents, flag=flags, reason=words),
)

_access: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(["token", "review"], st.sampled_from(["1", "2"])),
    **dict.fromkeys(["owner", "name", "reason", "note", "digest", "audience"], words),
    **dict.fromkeys(["before", "after"], percentages),
    "flag": flags,
    "rollout": st.none() | rollouts,
    "roles": st.just(("viewer",)) | st.just(("operator", "approver")),
    "scopes": st.just(()) | st.just(("flag:batch-*",)),
    "expires_at": st.none() | times,
}
about_access = st.one_of(
    [_said(cls, _access) for cls in (TokenIssued, TokenRevoked, GlassBroken, ReviewClosed)]
)

# Drawn by slice: `one_of` would draw by kind of event, and executions are but one.
kinds = [
    *(executions, executions, about_waves, about_flags),
    *(about_rollouts, about_alerts, about_freezes, about_incidents, about_webhooks, about_access),
]
happenings: st.SearchStrategy[At] = st.builds(
    At, times, st.sampled_from(kinds).flatmap(lambda events: events)
)
histories = st.lists(happenings, max_size=25)
