"""A story whose events were rewritten, and hashed anew: it is refused, or can be gone through."""

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.errors import ControlPlaneError
from controlplane.history.bundles import opened
from controlplane.history.retaking import retake_story
from events.bundle import read_bundle
from events.errors import BundleUnreadable, ChainBroken
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, batch, plan

DATA = 14
"""Which field of a line tells the event itself."""
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, 2**63, 2**70, 1.5, "", "x", "\x1b[2J", [], {}, True, "flag.created", "{}", "["]
)


@pytest.fixture(scope="module")
def story() -> list[Any]:
    """A manifest, and its events: a rollout that a violated invariant ended."""
    with ControlPlane("memory://", clock=Clock()) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
        plane.executions.record([batch(), batch(violations={"order": 1})])
        plane.alerts.watch()
        return [json.loads(line) for line in plane.incidents.export("INC-1")]


def hashed(manifest: dict[str, Any], events: list[list[Any]]) -> list[bytes]:
    """The lines of a file in which every hash is the right one."""
    lines, before = list[bytes](), bytes(32)
    for _, _, fields in events:
        raw = json.dumps(fields, separators=(",", ":")).encode()
        hash_ = sha256(before + raw).digest()
        lines.append(f'["{before.hex()}","{hash_.hex()}",'.encode() + raw + b"]\n")
        before = hash_
    digest = sha256(b"".join(lines)).hexdigest()
    return [json.dumps(manifest | {"digest": digest}).encode() + b"\n", *lines]


def test_what_is_hashed_anew_and_not_changed_is_the_story(story: list[Any]) -> None:
    manifest, *events = story
    assert retake_story(opened(hashed(manifest, events))).identical


@settings(max_examples=150)
@given(data=st.data())
def test_whatever_is_rewritten_is_refused_or_can_be_gone_through(
    story: list[Any], data: st.DataObject
) -> None:
    manifest, *events = json.loads(json.dumps(story))
    if data.draw(st.integers(0, 5)) == 0:
        manifest[data.draw(st.sampled_from(sorted(manifest)))] = data.draw(ODD)
    else:
        fields = data.draw(st.sampled_from(events))[2]
        at = data.draw(st.integers(0, DATA) | st.just(DATA))
        if at == DATA and data.draw(st.booleans()):
            told = json.loads(fields[DATA])
            told[data.draw(st.sampled_from(sorted(told)))] = data.draw(ODD)
            fields[DATA] = json.dumps(told)
        else:
            fields[at] = data.draw(ODD)
    try:
        found = opened(hashed(manifest, events))
        assert len(list(found)) == len(list(found.scenes()))
        retake_story(found)
    except ControlPlaneError:
        pass  # In one line, and nothing else is known of it.


def test_a_story_that_ends_before_it_begins_is_refused(story: list[Any]) -> None:
    manifest, *events = story
    with pytest.raises(BundleUnreadable, match="ends before it begins"):
        opened(hashed(manifest | {"start": manifest["end"] + 1}, events))


def test_an_event_that_was_recorded_before_the_one_before_it_is_named(story: list[Any]) -> None:
    manifest, *events = json.loads(json.dumps(story))
    events[-1][2][8] -= 10**9
    with pytest.raises(ChainBroken, match="recorded before the one before it"):
        read_bundle(hashed(manifest, events))
