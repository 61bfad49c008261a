"""`/api/v1/freezes`: when nothing is promoted."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query
from msgspec.structs import replace

from controlplane.access_errors import NotPermitted
from controlplane.errors import FlagNotFound, FreezeNotFound
from controlplane.http.calls import After, Asking, Json, Limit, Plane, page
from controlplane.http.models.form import Because, Page
from controlplane.http.models.freezes import Declaration, Freeze
from controlplane.http.route import router
from controlplane.operating_views import freeze_view
from controlplane.plane.tokens import Caller
from projections.freezes import Freeze as Standing

routes = router("freezes", prefix="/api/v1/freezes")

FreezeId = Annotated[str, Path(min_length=1, max_length=63, examples=["freeze-3"])]


@routes.get("", response_model=Page[Freeze])
def list_freezes(
    plane: Plane,
    asking: Asking,
    *,
    flag: Annotated[
        str | None, Query(max_length=100, description="Only those that hold its promotions.")
    ] = None,
    in_effect: Annotated[bool | None, Query(description="Default: either.")] = None,
    after: After = 0,
    limit: Limit = 100,
) -> Json:
    """The freezes that nobody has lifted, in the order in which they were declared."""
    now = plane.clock()
    found = (
        (freeze.position, freeze_view(freeze, now))
        for freeze in _seen(plane.freezes.all(), asking)
        if flag is None or not freeze.flags or flag in freeze.flags
    )
    wanted = (one for one in found if in_effect in (None, one[1]["in_effect"]))
    return page(wanted, after, limit)


@routes.post("", response_model=Freeze, status_code=HTTPStatus.CREATED)
def declare_freeze(said: Declaration, plane: Plane, asking: Asking) -> Json:
    """Promote nothing from now on, or in the windows of a calendar."""
    _permit(said.flags, asking)
    freeze = plane.freezes.declare(
        reason=said.reason,
        actor=asking.actor,
        until=said.until,
        flags=said.flags,
        window=said.window.given() if said.window else None,
        name=said.name,
    )
    # Asked for before under the same key, it may have been lifted since.
    lifted = freeze not in plane.freezes.all()
    return freeze_view(freeze, plane.clock(), lifted=lifted)


@routes.get("/{freeze}", response_model=Freeze)
def get_freeze(freeze: FreezeId, plane: Plane, asking: Asking) -> Json:
    """A freeze that stands."""
    for found in _seen([plane.freezes.get(freeze)], asking):
        return freeze_view(found, plane.clock())
    raise FreezeNotFound(freeze=freeze)


@routes.post("/{freeze}/lift", response_model=Freeze)
def lift_freeze(freeze: FreezeId, said: Because, plane: Plane, asking: Asking) -> Json:
    """End a freeze, for good; as it stood. To change one, lift it and declare another."""
    if asking.flags:
        _permit_to_lift(plane.freezes.find(freeze), asking)
    lifted = plane.freezes.lift(freeze, actor=asking.actor, reason=said.reason)
    return freeze_view(lifted, plane.clock(), lifted=True)


def _seen(freezes: Iterable[Standing], asking: Caller) -> Iterator[Standing]:
    """Those that hold any flag that the token is for, without the names of others."""
    for freeze in freezes:
        flags = tuple(filter(asking.sees, freeze.flags))
        if flags or not freeze.flags:
            yield replace(freeze, flags=flags)


def _permit_to_lift(freeze: Standing, asking: Caller) -> None:
    """Raise FreezeNotFound, NotPermitted where it holds flags that the token is not for."""
    if not any(True for _ in _seen([freeze], asking)):
        raise FreezeNotFound(freeze=freeze.id)
    if not freeze.flags or not all(map(asking.sees, freeze.flags)):
        raise NotPermitted(
            actor=asking.actor.id,
            roles=", ".join(asking.roles),
            permission=f"freezes.lift of other flags, only of {', '.join(asking.flags)}",
        )


def _permit(flags: list[str], asking: Caller) -> None:
    """Raise FlagNotFound, NotPermitted where a token for some flags would speak of others."""
    if not asking.flags:
        return
    if not flags:
        raise NotPermitted(
            actor=asking.actor.id,
            roles=", ".join(asking.roles),
            permission=f"a freeze of all flags, only of {', '.join(asking.flags)}",
        )
    for flag in flags:
        if not asking.sees(flag):
            raise FlagNotFound(flag=flag)
