"""All that the log holds about one rollout, up to a position."""

from dataclasses import dataclass

from controlplane.errors import RolloutNotFound
from controlplane.plane.lineages import FARTHEST, Recorded, causes_of
from controlplane.rules.catalog import WATCHED
from events.access import REVIEW_STREAM, GlassBroken, ReviewClosed
from events.alerts import AlertResolved, alert_stream
from events.concerning import flag_of
from events.event import Event
from events.flags import flag_stream
from events.freezes import FREEZE_STREAM, FreezeDeclared, FreezeLifted
from events.incidents import INCIDENT_STREAM, IncidentEvent
from events.judgements import judgement_stream
from events.log import EventLog, Query
from events.rollouts import rollout_stream
from projections.audit import Behind, Happening, standing_behind, timeline
from projections.rollouts import ROLLOUTS, Rollout


@dataclass(frozen=True, slots=True)
class Dossier:
    """A rollout, from its draft to its end or to where the log was read."""

    rollout: Rollout
    """As it stood at the position."""
    decided: tuple[Recorded, ...]
    """In its own stream."""
    looks: tuple[Recorded, ...]
    flag: tuple[Recorded, ...]
    """What happened to its flag meanwhile."""
    alerts: tuple[Recorded, ...]
    """Those that were open meanwhile, to their ends: who answered for one did so later."""
    incidents: tuple[Recorded, ...]
    """Of its flag, meanwhile, to their ends."""
    freezes: tuple[Recorded, ...]
    """Those that stood meanwhile, and held its flag."""
    reviews: tuple[Recorded, ...]
    """What one person did alone, and who looked at it."""
    others: tuple[Recorded, ...]
    """What else belongs to it."""
    causes: dict[str, Recorded]
    behind: dict[str, Behind]

    def timeline(self) -> list[Happening]:
        """All of it in the order of the log; looks that found the same are one."""
        return timeline(
            *(self.decided, self.looks, self.flag, self.alerts, self.incidents),
            *(self.freezes, self.reviews, self.others, self.causes.values()),
        )


def dossier_of(log: EventLog, id_: str, upto: int) -> Dossier:
    """Raises RolloutNotFound where it had not been drafted."""
    decided = _stream(log, rollout_stream(id_), upto)
    if not decided:
        raise RolloutNotFound(rollout=id_)
    looks = _stream(log, judgement_stream(id_), upto)
    both = sorted([*decided, *looks], key=lambda event: event.position)
    rollout = ROLLOUTS.fold(id_, both)
    first, last = decided[0], decided[-1].position if rollout.is_final else upto
    flag = _stream(log, flag_stream(rollout.flag), last, first.position)
    alerts = [
        event
        for rule in WATCHED
        for event in _followed(
            _open(_stream(log, alert_stream(rollout.flag, rule), upto), first.position), last
        )
    ]
    incidents = _followed(
        [
            event
            for event in _stream(log, INCIDENT_STREAM, upto, first.position)
            if flag_of(event.event) == rollout.flag
        ],
        last,
    )
    freezes = _standing(_stream(log, FREEZE_STREAM, last), rollout.flag, first)
    reviews = _about(_stream(log, REVIEW_STREAM, upto), id_)
    others = log.search(Query(correlation_id=id_, before=upto + 1, limit=FARTHEST))
    every = (*decided, *looks, *flag, *alerts, *incidents, *freezes, *reviews, *others)
    return Dossier(
        rollout=rollout,
        decided=tuple(decided),
        looks=tuple(looks),
        flag=tuple(flag),
        alerts=tuple(sorted(alerts, key=lambda event: event.position)),
        incidents=tuple(incidents),
        freezes=tuple(freezes),
        reviews=tuple(reviews),
        others=tuple(others),
        causes=causes_of(log, every),
        behind=standing_behind(decided) | reviewed(reviews),
    )


def reviewed(reviews: list[Recorded]) -> dict[str, Behind]:
    """By the id of each closed review, who had acted alone."""
    alone = {
        one.event.review: one.actor.id for one in reviews if isinstance(one.event, GlassBroken)
    }
    return {
        one.id: Behind((alone[one.event.review],))
        for one in reviews
        if isinstance(one.event, ReviewClosed) and one.event.review in alone
    }


def _stream(log: EventLog, stream: str, upto: int, since: int = 0) -> list[Recorded]:
    return [event for event in log.read_stream(stream) if since <= event.position <= upto]


def _open(events: list[Recorded], since: int) -> list[Recorded]:
    """Of one rule's alerts, those that were open from a position on, with all about them."""
    resolved = [
        event.position
        for event in events
        if isinstance(event.event, AlertResolved) and event.position < since
    ]
    return [event for event in events if event.position > max(resolved, default=0)]


def _followed(events: list[Recorded], last: int) -> list[Recorded]:
    """What happened up to a position, and what happened later to the same alerts or incidents."""
    begun = {_about_what(one.event) for one in events if one.position <= last}
    return [one for one in events if _about_what(one.event) in begun]


def _about_what(event: Event) -> str:
    return event.incident if isinstance(event, IncidentEvent) else getattr(event, "alert", "")


def _standing(events: list[Recorded], flag: str, first: Recorded) -> list[Recorded]:
    """Of all freezes, those that held a flag's promotions from a position on."""
    lifted = {
        one.event.freeze: one.position for one in events if isinstance(one.event, FreezeLifted)
    }
    kept = {
        one.event.freeze
        for one in events
        if isinstance(one.event, FreezeDeclared)
        and (not one.event.flags or flag in one.event.flags)
        and (one.event.ends_at is None or one.event.ends_at > first.occurred_at)
        and lifted.get(one.event.freeze, first.position) >= first.position
    }
    about = FreezeDeclared | FreezeLifted
    return [one for one in events if isinstance(one.event, about) and one.event.freeze in kept]


def _about(events: list[Recorded], rollout: str) -> list[Recorded]:
    mine = {
        one.event.review
        for one in events
        if isinstance(one.event, GlassBroken) and one.event.rollout == rollout
    }
    about = GlassBroken | ReviewClosed
    return [one for one in events if isinstance(one.event, about) and one.event.review in mine]
