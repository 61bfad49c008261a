"""Whether each promotion in the log had the approvals that it needed."""

from collections.abc import Sequence

from controlplane import plans
from controlplane.history.differences import Difference
from controlplane.people import plain
from events.event import Event, RecordedEvent
from events.promotions import WavePromoted
from events.rollouts import SoakStarted, WaveEntered
from projections.promotions import Proposal
from projections.rollouts import ROLLOUTS, Rollout


def unwarranted(rollout: str, events: Sequence[RecordedEvent[Event]]) -> list[Difference]:
    """What in a rollout's own stream happened without leave.

    A wave after the first is entered right after its promotion; a promotion follows a proposal of
    that wave that waits, with as many approvals as the plan asks for, each of another person, none
    of whom asked for it.
    """
    found: list[Difference] = []
    state, before = ROLLOUTS.initial(rollout), None
    for recorded in events:
        match recorded.event:
            case WavePromoted(proposal=id_):
                problem = _against(state, id_)
            case WaveEntered(wave=wave) if wave > 1:
                problem = _unless_promoted(before)
            case SoakStarted():
                problem = _unless_promoted(before)
            case _:
                problem = None
        if problem is not None:
            found.append(Difference(recorded.position, "approval", recorded.type, problem))
        state, before = ROLLOUTS.evolve(state, recorded), recorded.event
    return found


def _unless_promoted(before: Event | None) -> str | None:
    return None if isinstance(before, WavePromoted) else "the wave before was not promoted"


def _against(rollout: Rollout, id_: str) -> str | None:
    proposal = next((one for one in rollout.proposals if one.id == id_), None)
    if proposal is None or not proposal.waits or proposal.wave != rollout.wave:
        return "no proposal of this wave waited"
    return _too_few(rollout, proposal)


def _too_few(rollout: Rollout, proposal: Proposal) -> str | None:
    needed = plans.recorded(rollout.plan).promotion.needed
    asked = {plain(one) for one in (*rollout.askers, proposal.proposed_by)}
    agreed = {plain(one.by) for one in proposal.approvals} - asked
    return None if len(agreed) >= needed else f"{len(agreed)} of {needed} approvals"
