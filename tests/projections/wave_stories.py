"""One wave, and what happened in it."""

from projections.evidence import EVIDENCE
from projections.waves import WaveEvidence
from tests.projections.recording import At, Told, at, execution, told
from tests.projections.rollout_events import entered, started


def wave_after(*history: Told) -> WaveEvidence:
    """The only wave, which began at START."""
    (wave,) = EVIDENCE.fold("checkout", told(started(), entered(), *history)).waves
    return wave


def ran(*moments: int) -> list[At]:
    """An execution at each of these moments."""
    return [at(moment, execution()) for moment in moments]


def wave_with(*moments: int) -> WaveEvidence:
    return wave_after(*ran(*moments))
