"""What may be done to a flag."""

import re
from dataclasses import dataclass
from typing import assert_never

from controlplane import bucketing, targeting, variants
from controlplane.errors import (
    FlagExists,
    FlagIsArchived,
    FlagIsDisabled,
    FlagNotFound,
    InvalidInput,
    RolloutInCharge,
)
from controlplane.variants import DefineVariants
from events.flags import (
    EVERYONE,
    Audience,
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDescribed,
    FlagDisabled,
    FlagEnabled,
    FlagEvent,
    RolloutAttached,
    RolloutDetached,
)
from projections.flags import Flag

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, kw_only=True)
class CreateFlag:
    """Make a flag, off for everyone. `salt` defaults to its name."""

    owner: str
    description: str = ""
    salt: str = ""


@dataclass(frozen=True, kw_only=True)
class DescribeFlag:
    """Change what is not None."""

    owner: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class EnableFlag:
    """Switch on, at a percentage of an audience."""

    percentage: float
    audience: Audience = EVERYONE
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeExposure:
    """Set the percentage of an audience of a flag that is on."""

    percentage: float
    audience: Audience = EVERYONE
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class BreakGlass:
    """Raise an exposure past the rollout in charge, by one person's word."""

    percentage: float
    audience: Audience
    reason: str


@dataclass(frozen=True, kw_only=True)
class EnterWave:
    """Serve an audience at least at a percentage, by order of the rollout in charge."""

    percentage: float
    audience: Audience
    reason: str


@dataclass(frozen=True, kw_only=True)
class DisableFlag:
    """Switch off, for everyone, at once."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ArchiveFlag:
    """Retire; off for ever."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AttachRollout:
    """Put a rollout in charge."""

    rollout: str


@dataclass(frozen=True, kw_only=True)
class DetachRollout:
    """Let the rollout in charge go."""


FlagCommand = (
    CreateFlag
    | DescribeFlag
    | EnableFlag
    | ChangeExposure
    | BreakGlass
    | EnterWave
    | DisableFlag
    | DefineVariants
    | ArchiveFlag
    | AttachRollout
    | DetachRollout
)


def decide(flag: Flag, command: FlagCommand) -> list[FlagEvent]:
    """The events a command leads to; none where it changes nothing. Raises a refusal."""
    if isinstance(command, CreateFlag):
        return _create(flag, command)
    if not flag.exists:
        raise FlagNotFound(flag=flag.name)
    if flag.archived and not isinstance(command, DisableFlag | ArchiveFlag | DetachRollout):
        raise FlagIsArchived(flag=flag.name)
    match command:
        case DescribeFlag():
            return _describe(flag, command)
        case EnableFlag() | ChangeExposure() | EnterWave() | BreakGlass():
            return _expose(flag, command)
        case DisableFlag(reason=reason):
            return [FlagDisabled(flag=flag.name, reason=reason)] if flag.enabled else []
        case DefineVariants():
            return [*variants.define(flag, command)]
        case ArchiveFlag() if flag.archived:
            return []
        case ArchiveFlag() if flag.rollout is not None:
            raise RolloutInCharge(flag=flag.name, rollout=flag.rollout)
        case ArchiveFlag(reason=reason):
            return [FlagArchived(flag=flag.name, reason=reason)]
        case AttachRollout() if flag.rollout is not None:
            raise RolloutInCharge(flag=flag.name, rollout=flag.rollout)
        case AttachRollout(rollout=rollout):
            return [RolloutAttached(flag=flag.name, rollout=rollout)]
        case DetachRollout():
            if flag.rollout is None:
                return []
            return [RolloutDetached(flag=flag.name, rollout=flag.rollout)]
        case _ as unreachable:
            assert_never(unreachable)


def _create(flag: Flag, command: CreateFlag) -> list[FlagEvent]:
    if not _NAME.fullmatch(flag.name):
        raise InvalidInput(
            reason=f"flag name {flag.name!r}: use up to 100 of a-z, 0-9, dot, dash and underscore"
        )
    _refuse_nobody(command.owner)
    salt = command.salt or flag.name
    wanted = (command.owner, command.description, salt)
    if flag.exists and (flag.owner, flag.description, flag.salt) == wanted and not flag.archived:
        return []
    if flag.exists:
        raise FlagExists(flag=flag.name, owner=flag.owner)
    return [
        FlagCreated(
            flag=flag.name,
            owner=command.owner,
            description=command.description,
            algorithm=bucketing.ALGORITHM,
            salt=salt,
        )
    ]


def _refuse_nobody(owner: str) -> None:
    if not owner.strip():
        raise InvalidInput(reason="a flag needs an owner: someone must answer for it")


def _describe(flag: Flag, command: DescribeFlag) -> list[FlagEvent]:
    described = FlagDescribed(
        flag=flag.name,
        owner=flag.owner if command.owner is None else command.owner,
        description=flag.description if command.description is None else command.description,
        tags=flag.tags if command.tags is None else tuple(sorted(set(command.tags))),
    )
    same = (described.owner, described.description, described.tags) == (
        flag.owner,
        flag.description,
        flag.tags,
    )
    _refuse_nobody(described.owner)
    return [] if same else [described]


def _expose(
    flag: Flag, command: EnableFlag | ChangeExposure | EnterWave | BreakGlass
) -> list[FlagEvent]:
    """Move an exposure.

    While a rollout is in charge, others may lower it, and restore what the rollout had granted.
    """
    after = bucketing.threshold(command.percentage) / 1000
    audience = targeting.check(command.audience)
    before = flag.exposure_of(audience) if flag.enabled else 0.0
    redefined = after > 0 and not any(e.audience == audience for e in flag.exposures)
    granted = any(g.audience == audience and after <= g.percentage for g in flag.granted)
    match command:
        case ChangeExposure() if not flag.enabled:
            raise FlagIsDisabled(flag=flag.name, percentage=after)
        case EnterWave():
            if not redefined:  # What others were served at is no leave to serve these.
                after = max(after, before)  # A rollout that goes forward takes nobody out.
        case BreakGlass():
            pass
        case _ if flag.rollout is not None and not granted and (after > before or redefined):
            raise RolloutInCharge(flag=flag.name, rollout=flag.rollout)
        case _:
            pass
    events: list[FlagEvent] = []
    if not flag.enabled:
        events.append(FlagEnabled(flag=flag.name, reason=command.reason))
    if after != before or redefined:
        events.append(
            ExposureChanged(
                flag=flag.name,
                audience=audience,
                before=before,
                after=after,
                reason=command.reason,
                forced=isinstance(command, BreakGlass),
            )
        )
    return events
