"""Proving the log elsewhere, and holding it to what was noted."""

from collections.abc import Iterator

from controlplane.errors import InvalidInput
from events.chain import GENESIS, HASH, Head
from events.errors import ChainBroken
from events.log import EventLog
from events.proof import Header, proof


def proof_of(log: EventLog, after: int, upto: int | None) -> Iterator[bytes]:
    """The lines of a file.

    Raises InvalidInput for a range that the log does not have; ChainBroken where an end is gone.
    """
    last = log.head().position
    upto = last if upto is None else upto
    if not 0 <= after < upto <= last:
        raise InvalidInput(
            reason=f"the log has positions 1 to {last}; say --after A --upto B of it"
        )
    header = Header(
        environment=log.environment,
        after=after,
        upto=upto,
        previous=_hash_at(log, after),
        hash=_hash_at(log, upto),
    )
    return proof(header, log.rows(after, upto))


def _hash_at(log: EventLog, position: int) -> str:
    if not position:
        return GENESIS.hex()
    row = next(log.rows(position - 1, position), None)
    if row is None:
        raise ChainBroken(position=position, reason=f"event {position} is missing")
    return bytes(row[HASH]).hex()


def witness(text: str) -> Head:
    """A head as it was noted, `POSITION:HASH`. Raises InvalidInput."""
    position, _, digest = text.strip().replace(" ", ":").partition(":")
    try:
        noted = Head(int(position), bytes.fromhex(digest))
    except ValueError as error:
        raise InvalidInput(reason=f"{text!r} is not POSITION:HASH") from error
    # What no event can be held to would pass unseen.
    if len(noted.hash) != len(GENESIS) or noted.position < (noted.hash != GENESIS):
        raise InvalidInput(reason=f"{text!r} is not POSITION:HASH of an event")
    return noted
