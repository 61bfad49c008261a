"""A range of the log in a file that proves itself, without the database.

The first line is a header. Each line after it is one event: the exact bytes that were hashed. So
anybody can walk it, in any language: `hash = SHA-256(hash before ‖ line)`, beginning with the
header's `previous`, must come to the header's `hash`. That the range belongs to the log, and to no
other one, a checkpoint at its end, or a hash noted elsewhere, shows.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256

import msgspec

from events.chain import GENESIS, HASH, POSITION, Head, Row, canonical
from events.errors import ChainBroken, ProofUnreadable, RangeBroken

FORMAT = "rollout-controlplane/proof"


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the lines are."""

    format: str = FORMAT
    version: int = 1
    environment: str
    after: int
    """The position before the first event."""
    upto: int
    """The position of the last event."""
    previous: str
    """The hash at `after`, hexadecimal."""
    hash: str
    """The hash at `upto`."""


def proof(header: Header, rows: Iterable[Row]) -> Iterator[bytes]:
    """The lines of a file, without their ends."""
    yield msgspec.json.encode(header)
    for row in rows:
        yield canonical(row)


def verify_proof(lines: Iterable[bytes], witnesses: Iterable[Head] = ()) -> tuple[Header, Head]:
    """Walk a file; its header, and the last of the witnesses that it was held to, if any.

    A witness in the range proves all of it up to there, and a later one nothing. Raises
    ProofUnreadable for what is no such file; ChainBroken, naming the first position that is wrong,
    or that witnesses contradict each other about; or RangeBroken: lines have no hashes of their
    own, so it lies between two that are known.
    """
    walk = iter(lines)
    header = read_header(next(walk, b""))
    noted = _noted(witnesses)
    held, position, digest = Head(), header.after, bytes.fromhex(header.previous)
    known = _hold(position, digest, noted, header.after)
    for line in walk:
        position += 1
        event = line.rstrip(b"\r\n")
        row = _row(event, position)
        if (row[0], row[POSITION]) != (header.environment, position):
            raise ChainBroken(position=position, reason=f"the next event is {row[POSITION]}")
        digest = sha256(digest + event).digest()
        before, known = known, _hold(position, digest, noted, known)
        if known != before:
            held = noted[position]
    if position != header.upto:
        raise ChainBroken(position=position + 1, reason=f"it should reach position {header.upto}")
    if digest.hex() != header.hash:
        reason = "its events do not come to the header's hash"
        raise RangeBroken(first=known + 1, position=position, reason=reason)
    return header, held


def _noted(witnesses: Iterable[Head]) -> dict[int, Head]:
    """By position. Raises ChainBroken where two of them cannot both be true."""
    noted: dict[int, Head] = {}
    for witness in witnesses:
        if noted.setdefault(witness.position, witness).hash != witness.hash:
            reason = "what was noted elsewhere contradicts itself: two hashes of one event"
            raise ChainBroken(position=witness.position, reason=reason)
    return noted


def _hold(position: int, digest: bytes, noted: Mapping[int, Head], known: int) -> int:
    """Up to where all is as it was noted elsewhere. Raises RangeBroken where it was another."""
    if position not in noted:
        return known
    if noted[position].hash != digest:
        reason = "the hash of the last one is not the one noted elsewhere"
        raise RangeBroken(first=min(known + 1, position), position=position, reason=reason)
    return position


def read_header(line: bytes) -> Header:
    """The first line of a file. Raises ProofUnreadable."""
    try:
        header = msgspec.json.decode(line, type=Header)
        sound = len(bytes.fromhex(header.previous)) == len(bytes.fromhex(header.hash)) == 32  # noqa: PLR2004  why: bytes of a SHA-256
    except (ValueError, RecursionError) as error:
        raise ProofUnreadable(reason=f"its first line is no header: {error}") from error
    if header.format != FORMAT or header.version != 1 or not sound:
        raise ProofUnreadable(reason=f"its first line speaks of {header.format} {header.version}")
    if not 0 <= header.after < header.upto:
        reason = f"it says that it goes from after {header.after} up to {header.upto}"
        raise ProofUnreadable(reason=reason)
    if not header.after and bytes.fromhex(header.previous) != GENESIS:
        raise ProofUnreadable(reason="its first event is said to have one before it")
    return header


def _row(line: bytes, position: int) -> list[object]:
    try:
        row = msgspec.json.decode(line, type=list[object])
    except (ValueError, RecursionError) as error:
        raise ChainBroken(position=position, reason="its line is no event") from error
    if len(row) != HASH:
        raise ChainBroken(position=position, reason="its line is no event")
    return row
