"""Webhooks, as they are sent and as they are shown."""

from typing import Literal

from pydantic import Field

from controlplane.http.calls import FARTHEST
from controlplane.http.models.form import Moment, Said, Shown


class Registration(Said):
    """Where events are sent, and which."""

    url: str = Field(min_length=1, max_length=2000, examples=["https://hooks.example.com/rollouts"])
    secret: str = Field(max_length=63, examples=["deploys"], description="Its name.")
    types: list[str] = Field(default=[], max_length=100, examples=[["rollout.*", "alert.raised"]])
    everything: bool = Field(default=False, description="In the place of types.")
    description: str = Field(default="", max_length=2000)
    after: int | None = Field(
        default=None, ge=0, le=FARTHEST, description="Begin after this position; null: from now on."
    )


class Change(Said):
    """What is to be another; what is left out stays."""

    url: str | None = Field(default=None, min_length=1, max_length=2000)
    secret: str | None = Field(default=None, max_length=63)
    types: list[str] = Field(default=[], max_length=100)
    everything: bool = False
    description: str | None = Field(default=None, max_length=2000)


class Removed(Shown):
    """A webhook, as it stood."""

    id: str = Field(examples=["webhook-3"])
    url: str
    types: list[str] = Field(description='["*"]: everything.')
    secret: str = Field(description="Its name; what it is, is not known here.")
    description: str
    after: int = Field(ge=0, description="Events above this position are for it.")
    registered_by: str
    registered_at: Moment
    paused: str | None = Field(description="Why nothing is sent; null: it is.")


class Webhook(Removed):
    """A webhook, and how far it is."""

    position: int = Field(ge=0, description="Up to here everything is dealt with.")
    attempts: int = Field(ge=0, description="How often the next event was tried in vain.")
    next_attempt_at: Moment | None
    delivered_at: Moment | None = Field(description="When something was delivered last.")
    error: str = Field(description="What came of the last attempt; empty: it was delivered.")


class Trial(Shown):
    """What came of a `webhook.test`."""

    delivered: bool
    answer: str = Field(examples=["answered 204"])


class Letter(Shown):
    """What could not be delivered."""

    webhook: str = Field(examples=["webhook-3"])
    position: int = Field(ge=1, description="Of the event, in the log.")
    event_id: str
    event_type: str = Field(examples=["flag.enabled"])
    attempts: int = Field(ge=1)
    error: str
    at: Moment = Field(description="When it was given up.")
    state: Literal["dead", "requested", "redelivered"] = Field(
        description="`requested`: it is being tried again."
    )
