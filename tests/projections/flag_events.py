"""What happens to the flag `checkout`."""

from events import EVERYONE, Audience, Condition
from events.flags import (
    ExposureChanged,
    FlagArchived,
    FlagCreated,
    FlagDisabled,
    FlagEnabled,
    RolloutAttached,
    RolloutDetached,
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
