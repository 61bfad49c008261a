"""What no rollout ever does, read off its events alone: a ledger that trusts no fold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from controlplane.checklists import Item
from controlplane.commands import Approve, Judge, Resume, RolloutCommand
from controlplane.evaluation import HEARTBEAT_US
from controlplane.people import plain
from controlplane.plans import Plan
from events.event import Actor
from events.interventions import (
    BakeExtended,
    HoldReleased,
    ItemSignedOff,
    OverrideApproved,
    OverrideRequested,
    OverrideWithdrawn,
    RolloutHeld,
    SignOffWithdrawn,
)
from events.judgements import Judgement, WaveJudged
from events.promotions import (
    PromotionDelayed,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    ProposalWithdrawn,
    WavePromoted,
)
from events.rollouts import (
    PlanRevised,
    RollbackStalled,
    RollbackStarted,
    RolloutCancelled,
    RolloutCompleted,
    RolloutDrafted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    StartApproved,
    StartRejected,
    WaveEntered,
)
from events.timestamps import Timestamp

BY_PEOPLE = {"paused", "rejected", "withdrawn"}


@dataclass(frozen=True)
class Moment:
    """What was so when something was decided."""

    now: Timestamp
    frozen: str | None
    exposure_version: int
    plan: Plan
    critical: bool
    """Whether a critical alert is open."""
    executions: int
    """Of the present wave."""
    served: bool
    """Whether the flag serves what the present wave plans, or more."""


@dataclass
class Waiting:
    """A proposal, as told."""

    said: PromotionProposed
    approvers: set[str] = field(default_factory=set)


@dataclass
class Ledger:
    """What the events have said so far."""

    authors: set[str] = field(default_factory=set)
    agreed: set[str] = field(default_factory=set)
    plan_hash: str = ""
    wave: int = 0
    ends: str = ""
    failed: bool = False
    promoted: int = 0
    holds: set[str] = field(default_factory=set)
    waits: Waiting | None = None
    promoting: bool = False
    overrides: dict[str, OverrideRequested] = field(default_factory=dict)
    agreed_overrides: set[str] = field(default_factory=set)
    signed: set[tuple[str, str, str]] = field(default_factory=set)
    judged: WaveJudged | None = None
    resumed: bool = False
    """Whether a person has let it go on since it was last judged."""

    def follow(self, moment: Moment, command: RolloutCommand, events: Sequence[Any]) -> None:
        """Hold what was decided to the law, then take note of it."""
        for event in events:
            self._may(event, moment, command)
            if isinstance(event, WaveJudged) and isinstance(command, Judge):
                assert self._is_news(event, moment.now) or _ends(events)
            self._note(event)
        assert not self.promoting, "a promotion that leads nowhere"

    # The law

    def _may(self, event: Any, moment: Moment, command: RolloutCommand) -> None:
        assert not self.ends or isinstance(event, RollbackStalled | RolloutRolledBack), (
            f"{self.ends}, then {event}"
        )
        match event:
            case RolloutStarted():
                assert len(self.agreed) >= moment.plan.start.needed
                assert not self.agreed & self.authors
                assert moment.frozen is None
                assert self._is_signed(moment.plan.required_after(0))
            case StartApproved():
                assert event.plan_hash == self.plan_hash
                assert plain(event.approver) not in self.agreed | self.authors
            case WaveEntered(wave=1):
                assert self.wave == 0
            case WaveEntered() | SoakStarted() | RolloutCompleted():
                assert self.promoting, "a stage that nobody promoted to"
            case WavePromoted():
                self._may_promote(event, moment)
            case PromotionProposed():
                self._may_propose(event, moment, command)
            case ProposalApproved():
                assert isinstance(command, Approve)
                self._may_agree(command.approver, moment.now)
            case HoldReleased(kind=kind):
                self._may_release(kind, command)
            case OverrideApproved(override=id_, approver=who):
                asked = self.overrides[id_]
                assert plain(who) not in {*self.authors, plain(asked.requested_by)}
                assert moment.now < asked.expires_at
                assert not self.failed
            case _:
                pass

    def _may_promote(self, event: WavePromoted, moment: Moment) -> None:
        waits, plan = self.waits, moment.plan
        assert waits is not None
        said = waits.said
        assert event.proposal == said.proposal
        assert len(waits.approvers) >= said.approvals >= plan.promotion.needed >= 1
        assert said.exposure_version == moment.exposure_version
        assert (said.wave, said.plan_hash, said.to) == (self.wave, self.plan_hash, event.to)
        assert moment.frozen is None
        assert not self.failed, "a FAIL was followed by a promotion"
        assert not moment.critical, "promoted while a critical alert is open"
        assert moment.served, "promoted though the flag serves less than planned"
        assert not self.holds & {*BY_PEOPLE, "criterion"}
        assert self._is_signed(plan.required_after(self.wave))

    def _may_propose(
        self, event: PromotionProposed, moment: Moment, command: RolloutCommand
    ) -> None:
        assert self.waits is None
        assert not self.failed
        assert not moment.critical
        assert not self.holds - {"frozen", "exposure", "split"}, self.holds
        assert self._is_signed(moment.plan.required_after(self.wave))
        if event.kind == "skip":
            assert self.wave <= len(moment.plan.waves)
            return
        assert isinstance(command, Judge)
        assert command.look.assessment.verdict == "PASS"
        assert moment.frozen is None
        assert moment.executions, "without evidence"
        warns = {c.name for c in moment.plan.stage(self.wave).criteria if c.on_fail == "warn"}
        for one in command.look.assessment.judgements:
            if one.criterion not in warns:
                assert one.verdict == "PASS" or self._is_excused(one, moment.now)

    def _may_agree(self, approver: Actor, now: Timestamp) -> None:
        assert self.waits is not None
        assert now < self.waits.said.expires_at
        assert approver.kind in ("person", "token")
        by = self.waits.said.proposed_by
        assert plain(approver.id) not in {*self.authors, plain(by), *self.waits.approvers}

    def _may_release(self, kind: str, command: RolloutCommand) -> None:
        assert kind in self.holds
        assert kind != "criterion", "a failure stands"
        assert isinstance(command, Resume if kind in BY_PEOPLE else Judge)
        if "rejected" in self.holds and isinstance(command, Resume):
            assert command.resumed_by.kind in ("person", "token")
            assert plain(command.resumed_by.id) not in self.authors

    def _is_excused(self, judgement: Judgement, now: Timestamp) -> bool:
        return judgement.verdict != "FAIL" and any(
            asked.criterion == judgement.criterion
            and asked.wave == self.wave
            and now < asked.expires_at
            for id_, asked in self.overrides.items()
            if id_ in self.agreed_overrides
        )

    def _is_signed(self, items: Sequence[Item]) -> bool:
        def signers(wanted: Item) -> set[str]:
            signed = [one for one in self.signed if one[0] == wanted.name]
            return {by for _, by, role in signed if wanted.role in ("", role)}

        return all(len(signers(one)) >= one.approvals for one in items if one.required)

    def _is_news(self, found: WaveJudged, now: Timestamp) -> bool:
        last = self.judged
        return (
            last is None
            or self.resumed
            or now - last.judged_at >= HEARTBEAT_US
            or _gist(last) != _gist(found)
        )

    # What was said

    def _note(self, event: Any) -> None:
        match event:
            case RolloutDrafted(requested_by=who, plan_hash=plan_hash):
                self.authors, self.plan_hash = {plain(who)}, plan_hash
            case PlanRevised(revised_by=who, plan_hash=plan_hash):
                self.authors, self.plan_hash, self.agreed = (
                    {*self.authors, plain(who)},
                    plan_hash,
                    set(),
                )
            case StartApproved(approver=who):
                self.agreed.add(plain(who))
            case StartRejected():
                self.agreed = set()
            case RolloutStarted(started_by=who):
                self.authors.add(plain(who))
            case WaveEntered() | SoakStarted():
                self.wave, self.promoting, self.judged = self.wave + 1, False, None
                self.holds = set()
                self.overrides, self.agreed_overrides = {}, set()
            case RolloutCompleted() | RolloutCancelled() | RollbackStarted():
                assert self.waits is None
                self.ends, self.promoting = event.TYPE, False
            case PromotionProposed():
                self.waits = Waiting(event)
            case ProposalApproved(approver=who):
                assert self.waits is not None
                self.waits.approvers.add(plain(who))
            case PromotionDelayed():
                assert self.waits is not None
            case WavePromoted():
                self.waits, self.promoting, self.promoted = None, True, self.promoted + 1
            case ProposalRejected() | ProposalWithdrawn() | ProposalLapsed():
                assert self.waits is not None
                self.waits = None
            case WaveJudged(verdict=verdict):
                self.failed, self.judged = self.failed or verdict == "FAIL", event
                self.resumed = False
            case _:
                self._note_intervention(event)

    def _note_intervention(self, event: Any) -> None:
        match event:
            case RolloutHeld(kind=kind):
                assert kind not in self.holds or kind == "frozen"  # Until another time, it may be.
                assert not (kind == "paused" and self.waits), "a proposal waits in a pause"
                self.holds.add(kind)
            case HoldReleased(kind=kind):
                self.holds.remove(kind)
                self.resumed |= kind in BY_PEOPLE
            case BakeExtended():
                assert self.waits is None
            case OverrideRequested(override=id_):
                self.overrides[id_] = event
            case OverrideApproved(override=id_):
                self.agreed_overrides.add(id_)
            case OverrideWithdrawn(override=id_):
                del self.overrides[id_]
            case ItemSignedOff(item=item, signed_by=who, role=role):
                self.signed.add((item, plain(who), role))
            case SignOffWithdrawn(item=item, signed_by=who):
                self.signed = {s for s in self.signed if s[:2] != (item, plain(who))}
            case _:
                pass


def _ends(events: Sequence[Any]) -> bool:
    return any(isinstance(event, RollbackStarted) for event in events)


def _gist(found: WaveJudged) -> tuple[Any, ...]:
    """What makes a look news."""
    reason = "".join(c for c in found.reason if c not in "0123456789.,")
    judged = [(j.criterion, j.verdict, int(j.progress * 10)) for j in found.judgements]
    return found.verdict, reason, judged
