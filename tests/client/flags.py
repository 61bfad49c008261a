"""Flags as a server would send them."""

from typing import Any

import msgspec

from controlplane.bucketing import ALGORITHM
from controlplane.client.known import Snapshot
from events.flags import EVERYONE, Audience
from projections.flags import Exposure, Flag


def flag(name: str, position: int, percentage: float = 100, **facts: Any) -> Flag:
    """One that is on for a share of everyone."""
    known: dict[str, Any] = {
        "exists": True,
        "enabled": True,
        "algorithm": ALGORITHM,
        "salt": name,
        "exposures": (Exposure(EVERYONE, percentage),),
    }
    return Flag(name=name, position=position, **known | facts)


def narrow(audience: Audience, percentage: float) -> tuple[Exposure, ...]:
    return (Exposure(audience, percentage),)


def sent(flag: Flag, **more: Any) -> bytes:
    """Its JSON, with fields of a later release."""
    return msgspec.json.encode(msgspec.to_builtins(flag) | more)


def snapshot(position: int, *flags: Flag | bytes, environment: str = "production") -> Snapshot:
    raws = [msgspec.Raw(one if isinstance(one, bytes) else sent(one)) for one in flags]
    return Snapshot(environment, position, raws)
