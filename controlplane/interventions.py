"""What people may put in a rollout's way, or take out of it."""

from typing import assert_never

from controlplane import plans
from controlplane.commands import (
    Answer,
    ApproveOverride,
    ExtendBake,
    Intervening,
    Pause,
    RequestOverride,
    Resume,
    SignOff,
    WithdrawOverride,
    WithdrawSignOff,
)
from controlplane.criteria.bake_time import BAKE_TIME
from controlplane.errors import (
    InvalidInput,
    ItemNotFound,
    NotHeld,
    OverrideNotFound,
    SamePerson,
    WaveFailed,
)
from controlplane.people import is_one_of, plain, refuse_machines, require_reason
from controlplane.promotions import hold, lapse, refuse_approver
from events.interventions import (
    BakeExtended,
    HoldReleased,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    SignOffWithdrawn,
)
from events.judgements import CriterionAnswered
from events.rollouts import RolloutEvent
from events.timestamps import DAY, Timestamp
from projections.interventions import BY_PEOPLE, Override
from projections.rollouts import Rollout

_LONGEST_OVERRIDE = 30 * DAY
_LONGEST_EXTENSION = 366 * DAY


def decide(rollout: Rollout, command: Intervening, now: Timestamp) -> list[RolloutEvent]:
    """The events that a person's intervention leads to. Raises a refusal."""
    match command:
        case Pause(reason=reason):
            require_reason("to pause", reason)
            held = hold(rollout, "paused", reason)
            return [*lapse(rollout, "the rollout was paused"), *held] if held else []
        case Resume():
            return _resume(rollout, command)
        case ExtendBake(by_us=by_us, reason=reason):
            require_reason("to extend a bake", reason)
            if not 0 < by_us <= _LONGEST_EXTENSION:
                raise InvalidInput(reason="a bake is extended by more than nothing, up to 366 d")
            extended = BakeExtended(
                rollout=rollout.id, wave=rollout.wave, by_us=by_us, reason=reason
            )
            return [*lapse(rollout, "the bake was extended"), extended]
        case RequestOverride():
            return [_requested(rollout, command, now)]
        case ApproveOverride():
            return _approved(rollout, command, now)
        case WithdrawOverride(override=id_, withdrawn_by=who, reason=reason):
            found = _override(rollout, id_)
            require_reason("to withdraw an override", reason)
            withdrawn = OverrideWithdrawn(
                rollout=rollout.id, override=found.id, withdrawn_by=who, reason=reason
            )
            return [withdrawn]
        case SignOff():
            return _signed(rollout, command)
        case WithdrawSignOff(item=item, signed_by=who, reason=reason):
            return _unsigned(rollout, item, who, reason)
        case Answer(wave=wave) if wave not in (None, rollout.wave):
            return []
        case Answer(criterion=criterion, verdict=verdict, detail=detail, answered_by=who):
            _refuse_unknown(rollout, criterion, kind="external")
            _refuse_failed(rollout, criterion)
            if verdict == "PASS" and is_one_of(who.id, rollout.askers):
                raise SamePerson(actor=who.id, rollout=rollout.id)
            answered = CriterionAnswered(
                rollout=rollout.id,
                flag=rollout.flag,
                wave=rollout.wave,
                criterion=criterion,
                verdict=verdict,
                detail=detail,
            )
            return [answered]
        case _ as unreachable:
            assert_never(unreachable)


def _resume(rollout: Rollout, command: Resume) -> list[RolloutEvent]:
    """Whoever asked for the rollout cannot undo another's rejection."""
    held = [one for one in rollout.holds if one.kind in BY_PEOPLE]
    if not held:
        why = ", ".join(one.kind for one in rollout.holds) or "nothing"
        raise NotHeld(rollout=rollout.id, held_by=why)
    if any(one.kind == "rejected" for one in held):
        refuse_machines(command.resumed_by)
        if is_one_of(command.resumed_by.id, rollout.askers):
            raise SamePerson(actor=command.resumed_by.id, rollout=rollout.id)
    return [
        HoldReleased(
            rollout=rollout.id,
            flag=rollout.flag,
            wave=rollout.wave,
            kind=one.kind,
            reason=command.reason,
        )
        for one in held
    ]


def _requested(rollout: Rollout, command: RequestOverride, now: Timestamp) -> OverrideRequested:
    require_reason("an override", command.reason)
    _refuse_unknown(rollout, command.criterion)
    _refuse_failed(rollout, command.criterion)
    if not now < command.expires_at <= now + _LONGEST_OVERRIDE:
        raise InvalidInput(reason="an override expires later than now and within 30 days")
    return OverrideRequested(
        rollout=rollout.id,
        override=f"{rollout.id}-o{rollout.interventions.overridden + 1}",
        wave=rollout.wave,
        criterion=command.criterion,
        requested_by=command.requested_by,
        reason=command.reason,
        expires_at=command.expires_at,
    )


def _approved(rollout: Rollout, command: ApproveOverride, now: Timestamp) -> list[RolloutEvent]:
    found = _override(rollout, command.override)
    allowed = plans.recorded(rollout.plan).promotion.of
    refuse_approver(rollout, command.approver, allowed, found.requested_by)
    _refuse_failed(rollout, found.criterion)
    if now >= found.expires_at:
        raise InvalidInput(reason=f"override {found.id} expired; request another one")
    if found.approved_by:
        return []
    return [
        OverrideApproved(
            rollout=rollout.id,
            override=found.id,
            approver=command.approver.id,
            reason=command.reason,
        )
    ]


def _override(rollout: Rollout, id_: str) -> Override:
    for override in rollout.interventions.overrides:
        if override.id == id_:
            return override
    raise OverrideNotFound(override=id_)


def _refuse_failed(rollout: Rollout, criterion: str) -> None:
    """An override stands in for a PASS; it never excuses a FAIL."""
    failed = {one.criterion: one for one in rollout.judgements if one.verdict == "FAIL"}
    if criterion in failed:
        raise WaveFailed(rollout=rollout.id, reason=f"{criterion}: {failed[criterion].sentence}")
    if (sticky := rollout.interventions.held("criterion")) is not None:
        raise WaveFailed(rollout=rollout.id, reason=sticky.reason)


def _refuse_unknown(rollout: Rollout, criterion: str, kind: str | None = None) -> None:
    stage = plans.recorded(rollout.plan).stage(rollout.wave)
    known = [one.name for one in stage.criteria if kind in (None, one.kind)]
    if kind is None:
        known.append(BAKE_TIME.name)
    if criterion not in known:
        what = f"{kind} criterion" if kind else "criterion"
        raise InvalidInput(
            reason=f"{rollout.wave_name} has no {what} {criterion}; "
            f"it has {', '.join(known) or 'none'}"
        )


def _signed(rollout: Rollout, command: SignOff) -> list[RolloutEvent]:
    refuse_machines(command.signed_by)
    role = _refuse_unlisted(rollout, command.item)
    if role and plain(role) != plain(command.role):
        raise InvalidInput(reason=f"{command.item} is signed off in the role {role}: give --role")
    if any(
        (one.item, plain(one.by), one.wave, one.role)
        == (command.item, plain(command.signed_by.id), rollout.wave, command.role)
        for one in rollout.interventions.sign_offs
    ):
        return []
    return [
        ItemSignedOff(
            rollout=rollout.id,
            wave=rollout.wave,
            item=command.item,
            role=role or command.role,
            signed_by=command.signed_by.id,
            note=command.note,
        )
    ]


def _refuse_unlisted(rollout: Rollout, item: str) -> str:
    """The role that an item is signed in; empty for any. Raises ItemNotFound."""
    plan = plans.recorded(rollout.plan)
    manual = plan.stage(rollout.wave).criteria if rollout.wave else ()
    roles = {one.name: one.role for one in plan.items()}
    roles |= {one.name: one.role for one in manual if one.kind == "manual"}
    if item not in roles:
        raise ItemNotFound(item=item, items=", ".join(roles) or "none")
    return roles[item]


def _unsigned(rollout: Rollout, item: str, who: str, reason: str) -> list[RolloutEvent]:
    signed = [
        one.by
        for one in rollout.interventions.sign_offs
        if one.item == item and plain(one.by) == plain(who)
    ]
    _refuse_unlisted(rollout, item)
    if not signed:
        raise InvalidInput(reason=f"{who} has not signed off {item}")
    require_reason("to take back a sign-off", reason)
    return [
        SignOffWithdrawn(rollout=rollout.id, item=item, signed_by=by, reason=reason)
        for by in dict.fromkeys(signed)
    ]
