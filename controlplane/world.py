"""All that a look at a rollout may know."""

from msgspec import Struct

from controlplane.criteria.verdict import Seen
from controlplane.plans import Plan
from events.timestamps import Timestamp
from projections.evidence import Evidence
from projections.flags import Flag
from projections.freezes import Freezes
from projections.rollouts import Rollout
from projections.waves import WaveEvidence


class World(Struct, frozen=True, kw_only=True):
    """All that a look may know."""

    rollout: Rollout
    plan: Plan
    flag: Flag
    evidence: Evidence
    freezes: Freezes
    now: Timestamp

    @property
    def hold_us(self) -> int:
        """How long the present stage must last, with what people added."""
        stage = self.plan.stage(self.rollout.wave)
        return stage.hold + self.rollout.interventions.extended_us

    @property
    def wave(self) -> WaveEvidence:
        """What the present wave has seen; nothing where the flag's evidence is another's."""
        rollout, evidence = self.rollout, self.evidence
        if evidence.rollout == rollout.id and len(evidence.waves) >= rollout.wave > 0:
            return evidence.waves[rollout.wave - 1]
        return WaveEvidence(rollout.wave, rollout.wave_entered_at)

    def seen(self) -> Seen:
        """What the criteria of the present wave may know."""
        rollout, evidence = self.rollout, self.evidence
        earlier = evidence.waves[: rollout.wave - 1] if evidence.rollout == rollout.id else []
        return Seen(
            wave=self.wave,
            previous=earlier[-1] if earlier else None,
            hold_us=self.hold_us,
            planned_us=self.plan.stage(rollout.wave).hold,
            now=self.now,
            sign_offs=tuple(
                one for one in rollout.interventions.sign_offs if one.wave == rollout.wave
            ),
        )


def overridden(world: World) -> frozenset[str]:
    """The criteria that need not pass now: a second person agreed, and it has not expired."""
    return frozenset(
        one.criterion
        for one in world.rollout.interventions.overrides
        if one.approved_by and one.wave == world.rollout.wave and world.now < one.expires_at
    )
