"""`plane.audit`: questions to history, answered from the log itself."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Unpack, get_args

from controlplane.errors import FlagNotFound, RolloutNotFound
from controlplane.plane.core import Core
from controlplane.plane.dossiers import dossier_of, reviewed
from controlplane.plane.lineages import Recorded, causes_of, what_it_led_to, what_led_to
from controlplane.plane.questions import Question, dimensions, only, query_of
from events.access import REVIEW_STREAM, CommandDenied, DenialsSuppressed, ReviewClosed
from events.errors import EventNotFound
from events.event import Event
from events.flags import FlagEvent, RolloutAttached, RolloutDetached, flag_stream
from events.interventions import (
    ItemSignedOff,
    OverrideApproved,
    OverrideWithdrawn,
    SignOffWithdrawn,
)
from events.log import Count, Query
from events.promotions import ProposalApproved, ProposalRejected, ProposalWithdrawn
from events.rollouts import StartApproved, StartRejected, rollout_stream
from projections.audit import Behind, Deed, Happening, Why, deeds, standing_behind, why

if TYPE_CHECKING:
    from controlplane.reports.contents import Report

CHANGES: tuple[type[Event], ...] = tuple(
    one for one in get_args(FlagEvent) if one not in (RolloutAttached, RolloutDetached)
)
"""What changes a flag; that a rollout has it changes nothing yet."""
AGREEMENTS: tuple[type[Event], ...] = (
    StartApproved,
    StartRejected,
    ProposalApproved,
    ProposalRejected,
    ProposalWithdrawn,
    OverrideApproved,
    OverrideWithdrawn,
    ItemSignedOff,
    SignOffWithdrawn,
    ReviewClosed,
)
"""What people agreed to, or did not."""


class Audit:
    """Who did what, when, on whose approval, and why."""

    def __init__(self, core: Core) -> None:
        self._log = core.log
        self._core = core

    def events(self, **asked: Unpack[Question]) -> list[Recorded]:
        """Events that meet all conditions, in order of the log. Raises InvalidInput."""
        return self._log.search(query_of(asked))

    def count(self, by: Sequence[str] = (), **asked: Unpack[Question]) -> list[Count]:
        """How many events meet all conditions, by `actor`, `kind`, `type`, `stream`, `day`, `hour`.

        The most first; where they are counted by day or hour, in its order. Raises InvalidInput.
        """
        groups = dimensions(by)
        found = sorted(self._log.count(query_of(asked), groups), key=lambda one: -one.count)
        times = [place for place, one in enumerate(groups) if one in ("day", "hour")]
        return sorted(found, key=lambda one: [one.values[place] for place in times])

    def who_changed(self, flag: str, **asked: Unpack[Question]) -> list[Deed]:
        """Every change of a flag, who made it, by which command, and who had agreed.

        Raises FlagNotFound, InvalidInput.
        """
        stream = flag_stream(flag)
        if not self._log.search(Query(stream=stream, limit=1)):
            raise FlagNotFound(flag=flag)
        found = self.events(**only(CHANGES, asked | {"stream": stream}))
        return self._deeds(found, (one.correlation_id for one in found))

    def approvals(self, rollout: str | None = None, **asked: Unpack[Question]) -> list[Deed]:
        """What people agreed to, or did not, and who had asked for it: of one rollout, or of all.

        Raises RolloutNotFound, InvalidInput.
        """
        if rollout is not None:
            asked["stream"] = rollout_stream(rollout)
            if not self._log.search(Query(stream=asked["stream"], limit=1)):
                raise RolloutNotFound(rollout=rollout)
        found = self.events(**only(AGREEMENTS, asked))
        return self._deeds(found, (getattr(one.event, "rollout", None) for one in found))

    def denied(self, **asked: Unpack[Question]) -> list[Recorded]:
        """Commands that were refused, and how many more were only counted. Raises InvalidInput."""
        return self.events(**only((CommandDenied, DenialsSuppressed), asked))

    def timeline(self, rollout: str) -> list[Happening]:
        """All that happened to a rollout, what its flag, alerts and freezes have to do with it.

        Looks that found the same are one. Raises RolloutNotFound.
        """
        return dossier_of(self._log, rollout, self._log.head().position).timeline()

    def report(
        self,
        rollout: str,
        *,
        at: int | None = None,
        walk_log: bool = True,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> "Report":
        """All that an auditor wants to read about a rollout, as of a log position; None: now.

        `walk_log`: walk the hash chain for it, which takes a while where the log is long. The
        same position gives the same report. Raises RolloutNotFound, InvalidInput.
        """
        from controlplane.plane.reporting import report_of  # noqa: PLC0415  why: seldom needed

        return report_of(self._core, rollout, at, walk_log=walk_log, progress=progress)

    def why(self, position: int) -> Why:
        """What led to an event, from the first cause on, and what it led to. Raises EventNotFound.

        What came over HTTP is led to by the command, `access.command_accepted`, and this by what it
        was about, as a proposal.
        """
        found = self._log.search(Query(after=position - 1, limit=1)) if position > 0 else []
        if not found or found[0].position != position:
            raise EventNotFound(position=position, last=self._log.head().position)
        event = found[0]
        before, after = what_led_to(self._log, event), what_it_led_to(self._log, event)
        follows = before.follows | after.follows
        return why(
            event, before.found, list(after.found.values()), more=after.more, follows=follows
        )

    def _deeds(self, found: list[Recorded], rollouts: Iterable[str | None]) -> list[Deed]:
        behind: dict[str, Behind] = {}
        for rollout in sorted({one for one in rollouts if one is not None}):
            behind |= standing_behind(self._log.read_stream(rollout_stream(rollout)))
        if any(isinstance(one.event, ReviewClosed) for one in found):
            behind |= reviewed(self._log.read_stream(REVIEW_STREAM))
        return deeds(found, causes_of(self._log, found), behind)
