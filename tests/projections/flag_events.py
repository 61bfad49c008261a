"""What happens to the flag `checkout`."""

from events import EVERYONE, Audience, Condition
from events.flags import (
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDisabled,
    FlagEnabled,
    FlagKind,
    RolloutAttached,
    RolloutDetached,
    Variant,
    VariantsDefined,
)

BETA = Audience("beta", (Condition("group", "equals", "beta"),))
OTHER_BETA = Audience("beta", (Condition("group", "equals", "b2"),))

created = FlagCreated(
    flag="checkout",
    owner="team",
    description="new",
    algorithm="murmur3-32/multiply-shift-100000",
    salt="checkout",
)
enabled = FlagEnabled(flag="checkout", reason="")
disabled = FlagDisabled(flag="checkout", reason="")
archived = FlagArchived(flag="checkout", reason="")
attached = RolloutAttached(flag="checkout", rollout="checkout-r1")
detached = RolloutDetached(flag="checkout", rollout="checkout-r1")


def exposed(after: float, audience: Audience = EVERYONE, before: float = 0) -> ExposureChanged:
    """An audience is served at a percentage."""
    return ExposureChanged(
        flag="checkout", audience=audience, before=before, after=after, reason=""
    )


def defined(
    kind: FlagKind, *variants: Variant, default: str = "", reason: str = ""
) -> VariantsDefined:
    """What it answers; to the rest what the first variant says, unless told otherwise."""
    return VariantsDefined(
        flag="checkout",
        kind=kind,
        variants=variants,
        default=default or variants[0].name,
        reason=reason,
    )


def weighing(*weights: int) -> tuple[Variant, ...]:
    """Variants 0, 1, 2 … with their numbers for values."""
    return tuple(Variant(str(n), n, weight) for n, weight in enumerate(weights))
