"""`external`: something outside says yes. What asks it records the answer; this only judges it."""

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from controlplane.criteria.verdict import CriterionModel, CriterionName, OnFail, Seen
from controlplane.durations import Duration, format_duration, rough_duration
from events.judgements import Judgement
from events.timestamps import HOUR, MINUTE, SECOND
from projections.waves import Answer


def _check_url(text: str) -> str:
    if any(not character.isprintable() or character.isspace() for character in text):
        raise ValueError(f"{text!r} is no URL: it has spaces or control characters")
    try:
        url = urlsplit(text)
        known = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError as error:
        raise ValueError(f"{text!r} is no URL: {error}") from error
    if not known:
        raise ValueError(f"{text!r} is no URL; write http://HOST/PATH or https://HOST/PATH")
    if url.username is not None or url.password is not None:
        raise ValueError("a URL with a name or password in it would be recorded for ever")
    return text


class External(CriterionModel):
    """The latest answer of `url` in this wave was PASS, not longer ago than `max_age`."""

    kind: Literal["external"] = "external"
    name: CriterionName = "external"
    on_fail: OnFail = "hold"
    url: Annotated[str, Field(max_length=2000), AfterValidator(_check_url)]
    timeout: Duration = Field(default=10 * SECOND, gt=0, le=MINUTE)
    """How long one request may take."""
    every: Duration = Field(default=5 * MINUTE, gt=0)
    """How often it is asked."""
    max_age: Duration = Field(default=HOUR, gt=0)
    """How long a PASS stays good."""

    @model_validator(mode="after")
    def _is_asked_in_time(self) -> Self:
        if self.every >= self.max_age:
            every, max_age = format_duration(self.every), format_duration(self.max_age)
            raise ValueError(
                f"asked every {every}, with answers good for {max_age}, it would go stale each "
                "time; make max_age longer than every"
            )
        return self

    def due(self, seen: Seen) -> bool:
        """Whether to ask now: never asked in this wave, or `every` ago. A FAIL needs no other."""
        answer = self._answer(seen)
        if answer is None:
            return True
        return answer.verdict != "FAIL" and seen.now - answer.at >= self.every

    def judge(self, seen: Seen) -> Judgement:
        """See Judge.judge. A FAIL does not age; a PASS does."""
        answer = self._answer(seen)
        if answer is None:
            return Judgement(
                criterion=self.name,
                verdict="NO_DATA",
                sentence=f"no answer yet from {self.url}, asked every "
                f"{format_duration(self.every)}",
            )
        age_us = max(0, seen.now - answer.at)
        verdict = answer.verdict
        sentence = f"answered {verdict} {rough_duration(age_us)} ago"
        if answer.detail:
            sentence += f": {answer.detail}"
        if verdict == "PASS" and age_us > self.max_age:
            verdict = "INCONCLUSIVE"
            sentence += f"; stale, need one not older than {format_duration(self.max_age)}"
        return Judgement(
            criterion=self.name,
            verdict=verdict,
            sentence=sentence,
            numbers={"age_us": age_us, "max_age_us": self.max_age},
            progress=float(verdict == "PASS"),
        )

    def _answer(self, seen: Seen) -> Answer | None:
        return seen.wave.answers.get(self.name)
