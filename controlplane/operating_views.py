"""What operating shows, as JSON has it: freezes, the log, who looks, and read models."""

import msgspec

from controlplane import freezes
from controlplane.durations import format_duration
from controlplane.plane.scheduling import Schedule
from controlplane.views import Json, moment
from events.chain import Head
from events.timestamps import Timestamp
from projections.freezes import Freeze
from projections.rows import Build
from projections.verifying import Comparison


def freeze_view(freeze: Freeze, now: Timestamp, *, lifted: bool = False) -> Json:
    """A freeze, judged now: `until` is null where it is not in effect, or has no end."""
    data: Json = msgspec.to_builtins(freeze)
    if freeze.window is not None:
        del data["window"]["duration_us"]
        data["window"]["duration"] = format_duration(freeze.window.duration_us)
    end = None if lifted else freezes.until(freeze, now)
    return data | {
        "starts_at": moment(freeze.starts_at),
        "ends_at": moment(freeze.ends_at),
        "in_effect": end is not None,
        "until": None if end == freezes.UNTIL_LIFTED else moment(end),
        "next_start": None if lifted else moment(freezes.next_start(freeze, now)),
    }


def schedule_view(schedule: Schedule | None, now: Timestamp) -> Json:
    """Who looks at alerts and rollouts, and when next; all null where nobody does."""
    if schedule is None:
        names = ("holder", "token", "taken_at", "expires_at", "evaluates_every_us", "next_look_at")
        return {"held": False, **dict.fromkeys(names)}
    return {
        "held": True,
        "holder": schedule.holder,
        "token": schedule.token,
        "taken_at": moment(schedule.taken_at),
        "expires_at": moment(schedule.expires_at),
        "evaluates_every_us": schedule.evaluates_every_us,
        "next_look_at": moment(schedule.next_look_at(now)),
    }


def head_view(head: Head) -> Json:
    """The last position, and the hash that vouches for all before it."""
    return {
        "position": head.position,
        "hash": head.hash.hex(),
        "recorded_at": moment(head.recorded_at),
    }


def build_view(build: Build) -> Json:
    """A build of a read model."""
    return {
        "projection": build.projection,
        "version": build.version,
        "position": build.position,
    }


def comparison_view(found: Comparison) -> Json:
    """What came of holding the read models and their snapshots to the log."""
    data: Json = msgspec.to_builtins(found)
    return {"identical": found.identical} | data
