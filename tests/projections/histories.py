"""Random histories: every kind of event, on a few flags and rollouts, in any order of time."""

from hypothesis import strategies as st

from events import BatchExecuted, Event
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
)
from events.rollouts import (
    Judgement,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import HOUR, MINUTE
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
    unit=st.just("unit"),
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
    st.builds(FlagArchived, flag=flags, reason=words),
    st.builds(RolloutAttached, flag=flags, rollout=rollouts),
    st.builds(RolloutDetached, flag=flags, rollout=rollouts),
)

about_rollouts: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        RolloutStarted,
        rollout=rollouts,
        flag=flags,
        attempt=small,
        plan=st.just({"name": "p", "waves": [{"percentage": 10.0}]}),
        plan_hash=words,
        waves=st.integers(1, 3),
        requested_by=words,
    ),
    st.builds(
        WaveEntered,
        rollout=rollouts,
        flag=flags,
        wave=small,
        name=words,
        audience=audiences,
        percentage=percentages,
        max_silence_us=silences,
    ),
    st.builds(SoakStarted, rollout=rollouts, flag=flags, max_silence_us=silences),
    st.builds(
        WaveJudged,
        rollout=rollouts,
        wave=small,
        as_of=small,
        judged_at=times,
        verdict=verdicts,
        reason=words,
        judgements=judgements,
    ),
    st.builds(
        PromotionProposed,
        rollout=rollouts,
        proposal=proposals,
        wave=small,
        to=words,
        as_of=small,
        evidence_digest=words,
        plan_hash=words,
        exposure_version=small,
        expires_at=times,
    ),
    st.builds(ProposalApproved, rollout=rollouts, proposal=proposals, approver=words, reason=words),
    st.builds(
        ProposalRejected, rollout=rollouts, proposal=proposals, rejected_by=words, reason=words
    ),
    st.builds(ProposalLapsed, rollout=rollouts, proposal=proposals, reason=words),
    st.builds(WavePromoted, rollout=rollouts, proposal=proposals, wave=small, to=words),
    st.builds(RolloutCompleted, rollout=rollouts, flag=flags),
    st.builds(
        RolloutRolledBack,
        rollout=rollouts,
        flag=flags,
        trigger=st.sampled_from(["person", "criterion", "alert"]),
        reason=words,
    ),
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

happenings: st.SearchStrategy[At] = st.builds(
    At, times, st.one_of(executions, executions, about_flags, about_rollouts, about_alerts)
)
histories = st.lists(happenings, max_size=25)
