"""What handlers are given: the plane, who asks, and how things are tagged and paged."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Path, Query, Request, Response

from controlplane.errors import FlagNotFound
from controlplane.plane import ControlPlane
from controlplane.plane.tokens import Caller
from controlplane.requests import version_of

Json = dict[str, Any]
FARTHEST = 2**63 - 1


class Positioned(Protocol):
    """What has a place in the order in which things last changed."""

    @property
    def position(self) -> int:
        """The log position of its last change."""


P = TypeVar("P", bound=Positioned)
T = TypeVar("T")


async def _plane_of(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.plane
    return plane


async def _caller_of(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Plane = Annotated[ControlPlane, Depends(_plane_of)]
Asking = Annotated[Caller, Depends(_caller_of)]
"""Who asks: `asking.actor` acts, `asking.may(permission)`, `asking.sees(flag)`."""

After = Annotated[
    int, Query(ge=0, le=FARTHEST, description="Only what changed after this log position.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
FlagName = Annotated[str, Path(min_length=1, max_length=100, examples=["batch-patches-v1"])]


def when(at: str) -> str | int:
    """A log position where it is a number, else a moment."""
    number = at.isascii() and at.isdecimal() and len(at) < len(str(FARTHEST))
    return int(at) if number else at


def refuse_unseen(asking: Caller, flag: str) -> None:
    """Raise FlagNotFound where a token is narrowed to others: to it, there is none."""
    if not asking.sees(flag):
        raise FlagNotFound(flag=flag)


def tag(response: Response, plane: ControlPlane, stream: str) -> None:
    """Say at which version a thing is, for If-Match. Before it is read: it may be newer then."""
    response.headers["ETag"] = f'"{version_of(plane.log, stream)}"'


def page(found: Iterable[tuple[int, Json]], after: int, limit: int) -> Json:
    """A page of things, in the order in which they last changed; `next` is where to go on.

    One that changes meanwhile comes again, later: nothing is missed.
    """
    shown, onwards = _first(found, after, limit)
    return {"items": [item for _, item in shown], "next": onwards}


def page_of(things: Iterable[P], view: Callable[[P], Json], after: int, limit: int) -> Json:
    """The same of things that may be many: made JSON of is only what is shown."""
    shown, onwards = _first(((one.position, one) for one in things), after, limit)
    return {"items": [view(one) for _, one in shown], "next": onwards}


def _first(
    found: Iterable[tuple[int, T]], after: int, limit: int
) -> tuple[list[tuple[int, T]], int | None]:
    left = sorted((one for one in found if one[0] > after), key=itemgetter(0))
    shown = left[:limit]
    return shown, shown[-1][0] if len(left) > limit else None
