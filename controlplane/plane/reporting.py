"""Compiling a compliance report: from the log alone, as of a position of it."""

from collections.abc import Callable

from controlplane import plans
from controlplane.errors import InvalidInput
from controlplane.plane.core import Core
from controlplane.plane.dossiers import dossier_of
from controlplane.plane.verification import verify
from controlplane.reports.contents import Chain, Report
from events.errors import ChainBroken
from events.log import EventLog


def report_of(
    core: Core,
    id_: str,
    at: int | None,
    *,
    walk_log: bool,
    progress: Callable[[int, int], None],
) -> Report:
    """Raises RolloutNotFound where it had not been drafted by then, InvalidInput."""
    head = core.log.head().position
    position = head if at is None else at
    found = core.log.read(position - 1, 1) if 0 < position <= head else []
    if not found:
        raise InvalidInput(reason=f"the log has positions 1 to {head}, not {position}")
    (last,) = found
    dossier = dossier_of(core.log, id_, position)
    return Report(
        environment=core.log.environment,
        position=position,
        hash=last.hash,
        recorded_at=last.recorded_at,
        dossier=dossier,
        plan=plans.recorded(dossier.rollout.plan),
        chain=_walked(core.log, position, progress) if walk_log else Chain(walked=False),
        verification=verify(core.history, dossier.rollout, upto=position),
        timeline=tuple(dossier.timeline()),
    )


def _walked(log: EventLog, upto: int, progress: Callable[[int, int], None]) -> Chain:
    """What is wrong up to a position; what comes after it is of no concern here."""
    try:
        log.verify(progress=progress)
    except ChainBroken as broken:
        position = broken.details["position"]
        if isinstance(position, int) and position <= upto:
            return Chain(walked=True, problem=str(broken))
    return Chain(walked=True)
