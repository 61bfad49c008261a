"""`manual`: people vouch for something that no number shows."""

from shlex import quote
from typing import Literal

from pydantic import Field

from controlplane.criteria.verdict import CriterionModel, CriterionName, OnFail, Seen
from controlplane.people import plain
from events.judgements import Judgement


class Manual(CriterionModel):
    """So many different people signed off the item of this name, in this wave."""

    kind: Literal["manual"] = "manual"
    name: CriterionName = "sign_off"
    on_fail: OnFail = "hold"
    role: str = Field(default="", max_length=100)
    """Who may sign; empty: anyone."""
    approvals: int = Field(default=1, ge=1, le=20)
    """How many different people must."""
    text: str = Field(default="", max_length=2000)
    """What they vouch for."""

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. It never fails: whoever does not agree does not sign."""
        signers = {
            plain(one.by): one.by
            for one in seen.sign_offs
            if (one.item, one.wave) == (self.name, seen.wave.wave) and self.role in ("", one.role)
        }
        signed = len(signers)
        done = signed >= self.approvals
        many = f"{signed} of {self.approvals} {self.role} sign-offs".replace("  ", " ")
        if done:
            sentence = f"{many}, by {', '.join(sorted(signers.values()))}"
        else:
            role = f" --role {quote(self.role)}" if self.role else ""
            command = f"controlplane rollouts sign-off ROLLOUT {quote(self.name)}{role}"
            what = f" ({self.text})" if self.text else ""
            sentence = f"{many}{what}; {command}"
        return Judgement(
            criterion=self.name,
            verdict="PASS" if done else "INCONCLUSIVE",
            sentence=sentence,
            numbers={"signed": signed, "needed": self.approvals},
            progress=min(1.0, signed / self.approvals),
        )
