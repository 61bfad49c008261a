"""What a flag is."""

from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from events.event import RecordedEvent
from events.flags import (
    ON_AND_OFF,
    Audience,
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDescribed,
    FlagDisabled,
    FlagEnabled,
    FlagEvent,
    FlagKind,
    RolloutAttached,
    RolloutDetached,
    Variant,
    VariantsDefined,
    flag_stream,
)
from events.timestamps import Timestamp
from projections.projection import Projection


class Exposure(msgspec.Struct, frozen=True):
    """The share of one audience that gets the new code, in percent."""

    audience: Audience
    percentage: float


class Flag(msgspec.Struct, frozen=True):
    """A flag as it stands."""

    name: str
    exists: bool = False
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    algorithm: str = ""
    salt: str = ""
    enabled: bool = False
    archived: bool = False
    kind: FlagKind = "boolean"
    variants: tuple[Variant, ...] = ON_AND_OFF
    """In the order in which their weights are counted."""
    default: str = "off"
    """The variant of whoever is not served."""
    exposures: tuple[Exposure, ...] = ()
    """By audience, the one that changed last at the end."""
    rollout: str | None = None
    """The rollout in charge."""
    granted: tuple[Exposure, ...] = ()
    """What the rollout in charge has raised each audience to, though it be lowered since."""
    rollouts: int = 0
    """How many rollouts it has had."""
    exposure_version: int = 0
    """The stream version at which it last changed who gets what."""
    enabled_at: Timestamp = 0
    changed_at: Timestamp = 0
    position: int = 0
    """The log position of the last event folded in."""

    @property
    def percentage(self) -> float:
        """The widest share that any audience is served at; 0 when off."""
        return max((e.percentage for e in self.exposures if self.enabled), default=0.0)

    def exposure_of(self, audience: Audience) -> float:
        """The percentage of one audience, by name."""
        return next((e.percentage for e in self.exposures if e.audience.name == audience.name), 0.0)

    @property
    def default_variant(self) -> Variant:
        """What whoever is not served gets. Raises LookupError where it is none of the variants."""
        for variant in self.variants:
            if variant.name == self.default:
                return variant
        raise LookupError(self.default)

    @property
    def weighted(self) -> tuple[Variant, ...]:
        """What those who are served get: the variants that have a weight."""
        return tuple(variant for variant in self.variants if variant.weight)


def evolve(flag: Flag, recorded: RecordedEvent[FlagEvent]) -> Flag:
    """Return the flag after one more event of its stream."""
    flag = replace(flag, position=recorded.position, changed_at=recorded.occurred_at)
    match recorded.event:
        case FlagCreated() as created:
            return replace(
                flag,
                exists=True,
                owner=created.owner,
                description=created.description,
                algorithm=created.algorithm,
                salt=created.salt,
            )
        case FlagDescribed(owner=owner, description=description, tags=tags):
            return replace(flag, owner=owner, description=description, tags=tags)
        case FlagEnabled():
            return replace(
                flag,
                enabled=True,
                enabled_at=recorded.occurred_at,
                exposure_version=recorded.version,
            )
        case ExposureChanged(audience=audience, after=percentage, forced=forced):
            moved = Exposure(audience, percentage)
            return replace(
                flag,
                exposures=_with(flag.exposures, moved),
                granted=flag.granted if forced else _granted(flag, moved),
                exposure_version=recorded.version,
            )
        case FlagDisabled():
            return _off(flag, recorded.version)
        case VariantsDefined(kind=kind, variants=variants, default=default):
            return replace(
                flag,
                kind=kind,
                variants=variants,
                default=default,
                exposure_version=recorded.version,
            )
        case FlagArchived():
            return replace(_off(flag, recorded.version), archived=True)
        case RolloutAttached(rollout=rollout):
            count = flag.rollouts + 1
            return replace(flag, rollout=rollout, rollouts=count, granted=flag.exposures)
        case RolloutDetached():
            return replace(flag, rollout=None, granted=())
        case _ as unreachable:
            assert_never(unreachable)


def _off(flag: Flag, version: int) -> Flag:
    return replace(flag, enabled=False, exposures=(), granted=(), exposure_version=version)


def _with(exposures: tuple[Exposure, ...], moved: Exposure) -> tuple[Exposure, ...]:
    """The exposures with one put at the end, in the place of what its audience had."""
    return (*(e for e in exposures if e.audience.name != moved.audience.name), moved)


def _granted(flag: Flag, moved: Exposure) -> tuple[Exposure, ...]:
    """Grants grow with what the rollout raises; lowering by hand takes none of them back."""
    if flag.rollout is None:
        return ()
    if not moved.percentage:  # Under the name of another definition, it may be.
        return flag.granted
    for grant in flag.granted:
        if grant.audience == moved.audience and grant.percentage >= moved.percentage:
            return flag.granted
    return _with(flag.granted, moved)


def key(recorded: RecordedEvent[FlagEvent]) -> str:
    """The flag's name."""
    return recorded.event.flag


FLAGS = Projection(
    "flags", 1, Flag, frozenset(get_args(FlagEvent)), key, Flag, evolve, stream=flag_stream
)
