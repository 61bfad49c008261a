"""A checkpoint: what the log was up to a position, said outside of it, under a signature.

A chain that is kept beside its data proves nothing against whoever can rewrite both. What was
signed, and kept where they cannot write, does.
"""

import msgspec

from events.chain import Head
from events.timestamps import Timestamp

SCHEMA = 1

_ENCODER = msgspec.json.Encoder(order="sorted")


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed: all of a line but its signature, so a line says nothing else."""

    version: int = SCHEMA
    environment: str
    position: int
    hash: str
    """Hexadecimal, of the event at the position: it vouches for all before it."""
    recorded_at: Timestamp
    """Of that event."""
    taken_at: Timestamp
    """When the checkpoint was taken."""
    key: str
    """Which key signed it: the first 16 digits of the SHA-256 of the public key."""


class Checkpoint(Statement, frozen=True, kw_only=True):
    """What is signed, and the signature."""

    signature: str
    """Ed25519 (RFC 8032) of `signed_bytes`, in base64."""

    @property
    def head(self) -> Head:
        """What the log must still hold."""
        return Head(self.position, bytes.fromhex(self.hash), self.recorded_at)


def signed_bytes(statement: Statement) -> bytes:
    """Canonical JSON of what is signed: UTF-8, keys sorted, no spaces, without the signature."""
    fields = {name: getattr(statement, name) for name in Statement.__struct_fields__}
    return _ENCODER.encode(fields)
