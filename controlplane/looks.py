"""A look at a rollout: what the world comes to, and the state it was taken of."""

from controlplane.assessment import assess, digest
from controlplane.commands import Look
from controlplane.freezes import frozen_by
from controlplane.world import World


def look_at(world: World, as_of: int) -> Look:
    """Judge it."""
    seen = assess(world)
    frozen = None
    if seen.action != "rollback":  # Which no calendar holds back, not even one that is broken.
        frozen = frozen_by(world.freezes, world.plan.freezes, world.flag.name, world.now)
    return Look(
        assessment=seen,
        as_of=as_of,
        evidence_digest=digest(world.wave),
        exposure_version=world.flag.exposure_version,
        frozen=frozen,
    )
