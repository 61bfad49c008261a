"""The law: what was accepted is in the log once, whoever dies when, and whatever is answered."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
)
from urllib3 import HTTPResponse
from urllib3.exceptions import ProtocolError

from controlplane.client.disk_spool import DiskSpool
from controlplane.client.refused import RefusedFile
from controlplane.client.sender import Sender

LIMIT = 40 * 60
"""Bytes a process may hold: about forty executions."""


class Killed(BaseException):
    """The process is no more."""


class Log:
    """The server: it knows ids, and answers as it is told to."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self.mood = "answers"

    def post(self, lines: Sequence[bytes]) -> HTTPResponse:
        match self.mood:
            case "is away":
                raise ProtocolError("connection refused")
            case "is busy":
                return HTTPResponse(b"{}", {"Retry-After": "0"}, status=503)
            case "takes few" if len(lines) > 2:
                return HTTPResponse(b"{}", status=413)
            case "dies before":
                raise Killed
            case "answers for others":
                return HTTPResponse(self.record(lines[1:]), status=200)
        answer = self.record(lines)
        match self.mood:
            case "answers into the void":
                raise ProtocolError("connection reset")
            case "answers half":
                return HTTPResponse(answer[: len(answer) // 2], status=200)
            case "dies after":
                raise Killed
        return HTTPResponse(answer, status=200)

    def record(self, lines: Sequence[bytes]) -> bytes:
        ids = [json.loads(line)["id"] for line in lines]
        known = sum(id_ in self.positions for id_ in ids)
        for id_ in ids:
            self.positions.setdefault(id_, len(self.positions) + 1)
        answer: dict[str, Any] = {"accepted": len(ids), "duplicates": known, "refused": []}
        return json.dumps(answer).encode()


class Process:
    """A client's spool and sender, without its threads: each step is a rule's."""

    def __init__(self, folder: Path, log: Log, numbers: "count[int]") -> None:
        name = lambda: str(UUID(int=10**20 + next(numbers)))  # noqa: E731  why: it is its name
        self.spool = DiskSpool(folder, LIMIT, name)
        self.sender = Sender(
            self.spool, log.post, RefusedFile(None), every_seconds=0, fraction=lambda: -1.0
        )
        self.sender._wait = lambda _not_now: False  # type: ignore[method-assign]  # why: nobody waits in a test

    def send(self) -> None:
        while (segment := self.spool.take()) is not None and self.sender._send(segment):
            pass

    def die(self, torn: bytes) -> None:
        """As a kill -9 in the middle of a write."""
        if self.spool._newest is not None and torn:
            with self.spool._newest.path.open("ab") as file:
                file.write(torn)
        for lock in (self.spool._own, *self.spool._adopted.values()):
            if lock is not None:
                lock.release()


MOODS = [
    *("answers", "is away", "is busy", "takes few", "answers into the void", "answers half"),
    *("answers for others", "dies before", "dies after"),
]


SLOTS = st.integers(0, 2)


class Law(RuleBasedStateMachine):
    """Three places for processes on one directory, and a server. Who is dead is born when asked."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.log = Log()
        self.numbers = count(1)
        self.ids = count(1)
        self.accepted: set[str] = set()
        self.offered: set[str] = set()
        self.living: dict[int, Process] = {}

    def process(self, slot: int) -> Process:
        if slot not in self.living:
            self.living[slot] = Process(self.folder / "spool", self.log, self.numbers)
        return self.living[slot]

    @rule(slot=SLOTS, times=st.integers(1, 20))
    def records(self, slot: int, times: int) -> None:
        process = self.process(slot)
        for _ in range(times):
            id_ = str(UUID(int=next(self.ids)))
            self.offered.add(id_)
            if process.spool.append(json.dumps({"id": id_}).encode()):
                self.accepted.add(id_)

    @rule(slot=SLOTS, mood=st.sampled_from(MOODS))
    def sends(self, slot: int, mood: str) -> None:
        self.log.mood = mood
        try:
            self.process(slot).send()
        except Killed:
            self.living.pop(slot).die(b"")

    @rule(slot=SLOTS)
    def adopts(self, slot: int) -> None:
        self.process(slot).spool.adopt()

    @rule(slot=SLOTS, torn=st.sampled_from([b"", b"{", b'{"id":"00000000-0000"']))
    def dies(self, slot: int, torn: bytes) -> None:
        self.process(slot).die(torn)
        del self.living[slot]

    @rule(slot=SLOTS)
    def closes(self, slot: int) -> None:
        self.process(slot).spool.close()
        del self.living[slot]

    @invariant()
    def nothing_is_in_the_log_that_was_not_offered(self) -> None:
        assert set(self.log.positions) <= self.offered

    def teardown(self) -> None:
        """In the end the server is well: what the living and the heirs hold arrives."""
        self.log.mood = "answers"
        for process in self.living.values():
            process.send()
            process.spool.close()
        heir = Process(self.folder / "spool", self.log, self.numbers)
        heir.spool.adopt()
        while heir.spool.waiting:
            heir.send()
            heir.spool.adopt()
        assert set(self.log.positions) == self.accepted
        heir.spool.close()
        assert [path.name for path in self.folder.glob("spool/*")] == []
        shutil.rmtree(self.folder)


TestLaw = Law.TestCase
TestLaw.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
