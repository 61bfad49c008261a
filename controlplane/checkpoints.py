"""Signing what the log is, and holding it to what was signed (Ed25519, RFC 8032).

The private key is read from a file and goes nowhere else.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from controlplane.errors import InvalidInput
from events.chain import Head
from events.checkpoints import Checkpoint, signed_bytes
from events.errors import CheckpointInvalid
from events.timestamps import Timestamp

_DIGITS = 16


def make_keys(private: Path, public: Path) -> str:
    """Write a new pair of keys, PEM, the private one for its owner alone; the key's id.

    Raises InvalidInput where a file is there already: a key that is overwritten is lost.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        private.touch(mode=0o600, exist_ok=False)
        private.write_bytes(pem)
        with public.open("xb") as file:
            file.write(
                key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            )
    except FileExistsError as error:
        raise InvalidInput(reason=f"{error.filename} is there already; name another") from error
    return key_id(key.public_key())


def read_private_key(file: Path) -> Ed25519PrivateKey:
    """Raises InvalidInput, OSError."""
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise InvalidInput(reason=f"{file} is no private key in PEM: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInput(reason=f"{file} is no Ed25519 key; make one: controlplane log keygen")
    return key


def read_public_key(file: Path) -> Ed25519PublicKey:
    """Raises InvalidInput, OSError."""
    try:
        key = load_pem_public_key(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(reason=f"{file} is no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInput(reason=f"{file} is no Ed25519 key; make one: controlplane log keygen")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """What a key is called in checkpoints."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:_DIGITS]


def sign(key: Ed25519PrivateKey, environment: str, head: Head, now: Timestamp) -> Checkpoint:
    """Say what the log is, under a signature."""
    unsigned = Checkpoint(
        environment=environment,
        position=head.position,
        hash=head.hash.hex(),
        recorded_at=head.recorded_at,
        taken_at=now,
        key=key_id(key.public_key()),
        signature="",
    )
    signature = b64encode(key.sign(signed_bytes(unsigned))).decode()
    return msgspec.structs.replace(unsigned, signature=signature)


def read(
    lines: Iterable[str], keys: Iterable[Ed25519PublicKey], environment: str
) -> list[Checkpoint]:
    """The checkpoints of a file, one a line, each signed by one of the keys.

    Raises CheckpointInvalid, naming the first line that is not.
    """
    known = {key_id(key): key for key in keys}
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_checked(line, number, known, environment))
    if not found:
        raise CheckpointInvalid(line=1, reason="there is none in the file")
    return found


def _checked(
    line: str, number: int, keys: dict[str, Ed25519PublicKey], environment: str
) -> Checkpoint:
    try:
        checkpoint = msgspec.json.decode(line, type=Checkpoint)
        signature = b64decode(checkpoint.signature, validate=True)
        checkpoint.head  # noqa: B018  why: raises where its hash is none
    except (ValueError, RecursionError) as error:
        raise CheckpointInvalid(line=number, reason=f"it is no checkpoint: {error}") from error
    if checkpoint.environment != environment:
        reason = f"it is of environment {checkpoint.environment}, not {environment}"
        raise CheckpointInvalid(line=number, reason=reason)
    if checkpoint.key not in keys:
        raise CheckpointInvalid(line=number, reason=f"its key {checkpoint.key} is not given")
    try:
        keys[checkpoint.key].verify(signature, signed_bytes(checkpoint))
    except InvalidSignature:
        raise CheckpointInvalid(line=number, reason="its signature is not valid") from None
    return checkpoint
