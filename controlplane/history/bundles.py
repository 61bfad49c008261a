"""A story in one file: which events it needs, and going through it elsewhere."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from controlplane.history.replaying import Recorded, Replay
from controlplane.rules.catalog import WATCHED
from events.alerts import alert_stream
from events.bundle import Manifest, lines_of, read_bundle
from events.concerning import flag_of
from events.flags import FlagEnabled, RolloutAttached, flag_stream
from events.freezes import FREEZE_STREAM, FreezeEvent
from events.incidents import INCIDENT_STREAM
from events.judgements import WaveJudged, judgement_stream
from events.rollouts import RolloutStarted, rollout_stream
from events.timestamps import HOUR, Timestamp
from projections.catalog import PROJECTIONS
from projections.replay import History, position_at
from projections.snapshots import MemorySnapshots
from projections.timelines import about, elsewhere, stretch


def written(story: Replay, flag: str, now: Timestamp) -> Iterator[bytes]:
    """The lines of a file: a manifest, then each event with its hash."""
    log = story.history.log
    complete_from = _complete_from(story, flag)
    lines = list(lines_of(log, _needed(story, flag, complete_from)))
    head = log.head()
    manifest = Manifest(
        environment=log.environment,
        title=story.title,
        flag=flag,
        start=story.start,
        end=story.end,
        complete_from=complete_from,
        zero=story.zero,
        events=len(lines),
        digest=sha256(b"".join(lines)).hexdigest(),
        head_position=head.position,
        head_hash=head.hash.hex(),
        exported_at=now,
    )
    yield msgspec.json.encode(manifest) + b"\n"
    yield from lines


def opened(lines: Iterable[bytes]) -> Replay:
    """A story from its lines, to be gone through anywhere; nothing but they is needed.

    Raises BundleUnreadable, ChainBroken.
    """
    manifest, log = read_bundle(lines)
    return Replay(
        title=manifest.title,
        history=History(log, MemorySnapshots(), list(PROJECTIONS.values())),
        flag=manifest.flag,
        start=manifest.start,
        end=manifest.end,
        zero=manifest.zero,
        complete_from=manifest.complete_from,
    )


def open_file(path: Path | str) -> Replay:
    """A story from a file. Raises BundleUnreadable, ChainBroken, OSError."""
    with Path(path).open("rb") as lines:
        return opened(lines)


def _complete_from(story: Replay, flag: str) -> int:
    """From where on all executions are needed: what rules and criteria of the story looked at.

    The evidence of a rollout begins with its start, the vitals of a flag when it was last switched
    on, and what minutes tell of an alert lies within an hour before it.
    """
    log = story.history.log
    first = log.read(story.start, 1)
    begins_at = story.zero or (first[0].recorded_at if first else 0)
    needed = [story.start, position_at(log, begins_at - HOUR)]
    own = [event for event in log.read_stream(flag_stream(flag)) if event.position <= story.end]
    enabled = [event.position for event in own if isinstance(event.event, FlagEnabled)]
    needed += [position - 1 for position in enabled if position <= story.start][-1:]
    for rollout in _rollouts(own):
        events = log.read_stream(rollout_stream(rollout))
        if events[-1].position > story.start:  # It went on, or was followed, in the story.
            started = (e.position for e in events if isinstance(e.event, RolloutStarted))
            needed += [position - 1 for position in started]
    return max(0, min(needed))


def _rollouts(own: Iterable[Recorded]) -> list[str]:
    """Every rollout that was in charge of the flag."""
    return [event.event.rollout for event in own if isinstance(event.event, RolloutAttached)]


def _needed(story: Replay, flag: str, complete_from: int) -> list[Recorded]:
    """What was still in force at the beginning, and all about the flag from there on.

    A freeze of other flags only is left out: whoever gets the file need not know of them.
    """
    log = story.history.log
    own, others = log.read_stream(flag_stream(flag)), elsewhere(flag, log)
    streams = [flag_stream(flag), FREEZE_STREAM, INCIDENT_STREAM]
    streams += [alert_stream(flag, rule) for rule in WATCHED]
    streams += [rollout_stream(rollout) for rollout in _rollouts(own)]
    found = {
        event.position: event
        for stream in streams
        for event in log.read_stream(stream)
        if flag_of(event.event) == flag
        or (isinstance(event.event, FreezeEvent) and event.event.freeze not in others)
    }
    for rollout in _rollouts(own):
        looks = [
            event
            for event in log.read_stream(judgement_stream(rollout))
            if isinstance(event.event, WaveJudged) and event.position <= complete_from
        ]
        found |= {event.position: event for event in looks[-1:]}
    earlier = [event for position, event in found.items() if position <= complete_from]
    earlier.sort(key=lambda event: event.position)
    return [*earlier, *about(flag, stretch(log, complete_from, story.end), others)]
