"""The text of a token: `rcp_production_3f9c…_SECRET_1a2b3c4d`.

A fixed beginning and a checksum at the end let scanners of source code find lost tokens without
false alarms, and a slip of the keyboard be told from a stranger's guess.
"""

import re
from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from zlib import crc32

PREFIX = "rcp"
ID_BYTES = 6
SECRET_BYTES = 32
"""256 bits of chance: no password's slow hash is needed to keep it."""

PATTERN = re.compile(
    r"rcp_(?P<environment>[A-Za-z0-9][A-Za-z0-9._-]{0,62})"
    r"_(?P<id>[0-9a-f]{12})_(?P<secret>[a-z2-7]{52})_(?P<checksum>[0-9a-f]{8})"
)
"""What a scanner looks for."""


@dataclass(frozen=True)
class Parsed:
    """A token's text, taken apart; whether it opens anything is another question."""

    environment: str
    id: str


def mint(environment: str, chance: bytes) -> tuple[str, str]:
    """Id and text of a new token. `chance`: ID_BYTES + SECRET_BYTES bytes that nobody can guess."""
    if len(chance) != ID_BYTES + SECRET_BYTES:
        raise ValueError(f"a token takes {ID_BYTES + SECRET_BYTES} bytes of chance")
    id_ = chance[:ID_BYTES].hex()
    secret = b32encode(chance[ID_BYTES:]).decode().rstrip("=").lower()
    body = f"{PREFIX}_{environment}_{id_}_{secret}"
    return id_, f"{body}_{_checksum(body)}"


def parse(text: str) -> Parsed | None:
    """The parts of a token; None for what is none, a mistyped one included."""
    found = PATTERN.fullmatch(text)
    if found is None:
        return None
    body, _, checksum = text.rpartition("_")
    if not compare_digest(_checksum(body), checksum):
        return None
    return Parsed(found["environment"], found["id"])


def digest(text: str) -> str:
    """What is kept of a token."""
    return sha256(text.encode()).hexdigest()


def same(text: str, kept: str) -> bool:
    """Whether this is the token of which the digest was kept, in constant time."""
    return compare_digest(digest(text), kept)


def _checksum(body: str) -> str:
    return f"{crc32(body.encode()):08x}"


def without_tokens(text: str) -> str:
    """The text with every token in it, mistyped ones too, cut down to its beginning."""
    return _LIKE_ONE.sub("rcp_…", text) if "rcp_" in text else text


_LIKE_ONE = re.compile(r"(?<![A-Za-z0-9._%-])rcp_[A-Za-z0-9._%-]{70,}")
"""Long enough that no name of anybody's is taken for one; each run of letters is read once."""
