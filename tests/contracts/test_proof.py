"""Signed checkpoints, and ranges of the log that prove themselves elsewhere, on every store."""

import json
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controlplane import ControlPlane, checkpoints
from controlplane.errors import InvalidInput
from events.chain import Head
from events.checkpoints import Checkpoint
from events.errors import ChainBroken, CheckpointInvalid, ProofUnreadable
from events.proof import verify_proof
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG


@pytest.fixture
def key(tmp_path: Path) -> Path:
    checkpoints.make_keys(tmp_path / "log.key", tmp_path / "log.key.pub")
    return tmp_path / "log.key"


@pytest.fixture
def recorded(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    for percentage in (10, 25, 50):
        plane.flags.enable(FLAG, percentage=percentage, actor=ENGINEER, reason="Übergröße ☂")
    return plane


def signed(file: str, key: Path, environment: str = "production") -> list[Checkpoint]:
    public = checkpoints.read_public_key(key.with_suffix(".key.pub"))
    return checkpoints.read(file.splitlines(), [public], environment)


def written(*found: Checkpoint) -> str:
    return "\n".join(msgspec.json.encode(one).decode() for one in found)


# -- checkpoints ----------------------------------------------------------------------------------


def test_a_log_that_only_grew_holds_every_checkpoint(recorded: ControlPlane, key: Path) -> None:
    taken = [recorded.checkpoint(key)]
    recorded.flags.disable(FLAG, actor=ENGINEER)
    taken.append(recorded.checkpoint(key))
    recorded.flags.enable(FLAG, percentage=1, actor=ENGINEER)
    found = recorded.verify(checkpoints=signed(written(*taken), key))
    assert found == recorded.head()


def test_a_log_that_was_cut_short_is_found_out(
    recorded: ControlPlane, key: Path, clock: Clock
) -> None:
    taken = recorded.checkpoint(key)
    with ControlPlane("memory://", clock=clock, new_id=recorded._core.new_id) as shorter:
        shorter.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        with pytest.raises(ChainBroken, match=f"position {taken.position} was noted earlier"):
            shorter.verify(checkpoints=[taken])


def test_a_log_that_was_rewritten_as_a_whole_is_found_out(
    recorded: ControlPlane, key: Path, clock: Clock
) -> None:
    taken = recorded.checkpoint(key)
    with ControlPlane("memory://", clock=clock) as forged:
        forged.flags.create(FLAG, owner="patch-team", actor="mallory")
        for percentage in (10, 25, 50, 75):
            forged.flags.enable(FLAG, percentage=percentage, actor="mallory")
        forged.verify()
        with pytest.raises(ChainBroken, match=f"position {taken.position}: its hash is not"):
            forged.verify(checkpoints=[taken])


@pytest.mark.parametrize(
    "field", ["position", "hash", "recorded_at", "taken_at", "environment", "key", "signature"]
)
def test_a_checkpoint_that_was_changed_is_none(
    recorded: ControlPlane, key: Path, field: str
) -> None:
    fields = json.loads(written(recorded.checkpoint(key)))
    value = fields[field]
    fields[field] = value + 1 if isinstance(value, int) else value[:-2] + "00"
    with pytest.raises(CheckpointInvalid):
        signed(json.dumps(fields), key)


def test_a_checkpoint_that_says_more_than_was_signed_is_none(
    recorded: ControlPlane, key: Path
) -> None:
    fields = json.loads(written(recorded.checkpoint(key))) | {"approved_by": "mallory"}
    with pytest.raises(CheckpointInvalid, match="unknown field `approved_by`"):
        signed(json.dumps(fields), key)


def test_a_checkpoint_by_a_key_of_somebody_else_is_none(
    recorded: ControlPlane, key: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "their.key"
    checkpoints.make_keys(theirs, tmp_path / "their.key.pub")
    forged = recorded.checkpoint(theirs)
    ours = checkpoints.key_id(checkpoints.read_public_key(key.with_suffix(".key.pub")))
    for one in (forged, msgspec.structs.replace(forged, key=ours)):
        with pytest.raises(CheckpointInvalid):
            signed(written(one), key)


@pytest.mark.parametrize("file", ["", "\n\n", "{}", "nonsense", "[1]"])
def test_a_file_without_checkpoints_vouches_for_nothing(key: Path, file: str) -> None:
    with pytest.raises(CheckpointInvalid):
        signed(file, key)


def test_a_private_key_is_its_owners_alone_and_never_overwritten(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    with pytest.raises(InvalidInput, match="is there already"):
        checkpoints.make_keys(key, key.with_suffix(".key.pub"))
    with pytest.raises(InvalidInput, match="no private key"):
        checkpoints.read_private_key(key.with_suffix(".key.pub"))
    with pytest.raises(InvalidInput, match="no public key"):
        checkpoints.read_public_key(key)


def test_a_signature_is_checked_against_what_it_is_of() -> None:
    one = checkpoints.sign(Ed25519PrivateKey.generate(), "production", Head(3, b"x" * 32, 5), 7)
    again = msgspec.json.decode(msgspec.json.encode(one), type=Checkpoint)
    assert again == one
    assert one.head == Head(3, b"x" * 32, 5)


# -- proofs ---------------------------------------------------------------------------------------


def test_a_range_proves_itself_and_is_held_to_what_was_noted(
    recorded: ControlPlane, key: Path
) -> None:
    noted = recorded.checkpoint(key).head
    for after in range(noted.position):
        header, held = verify_proof(recorded.proof(after), [noted])
        assert (header.after, header.upto, held) == (after, noted.position, noted)
    header, held = verify_proof(recorded.proof(1, 3))
    assert (header.after, header.upto, held.position) == (1, 3, 0)


def test_a_proof_is_what_anybody_can_walk(recorded: ControlPlane) -> None:
    from hashlib import sha256  # noqa: PLC0415  why: all that it takes

    first, *events = recorded.proof()
    header = json.loads(first)
    digest = bytes.fromhex(header["previous"])
    for line in events:
        digest = sha256(digest + line).digest()
    assert digest.hex() == header["hash"] == recorded.head().hash.hex()
    assert [json.loads(line)[1] for line in events] == [1, 2, 3, 4, 5]


def test_whatever_is_changed_in_a_proof_is_found_and_named(recorded: ControlPlane) -> None:
    lines = list(recorded.proof())
    for place in range(1, len(lines)):
        changed = [*lines]
        changed[place] = lines[place].replace(b"release", b"somebody", 1)
        gone = [*lines[:place], *lines[place + 1 :]]
        for broken in (changed, gone):
            with pytest.raises(ChainBroken):
                verify_proof(broken)
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    with pytest.raises(ChainBroken, match="position 1: the next event is 2"):
        verify_proof(swapped)


def test_a_proof_that_was_forged_as_a_whole_is_held_to_what_was_noted(
    recorded: ControlPlane, clock: Clock
) -> None:
    noted = recorded.head()
    with ControlPlane("memory://", clock=clock) as forged:
        for n in range(noted.position):
            forged.flags.create(f"f{n}", owner="mallory", actor="mallory")
        verify_proof(forged.proof())
        with pytest.raises(ChainBroken, match="not the one noted elsewhere"):
            verify_proof(forged.proof(), [noted])


NESTED = b"[" * 100_000


@pytest.mark.parametrize("first", [b"", b"{}", b"nonsense", b'{"format": "x"}', NESTED])
def test_what_is_no_proof_is_refused(first: bytes) -> None:
    with pytest.raises(ProofUnreadable):
        verify_proof([first])


def test_a_line_that_is_no_event_is_named(recorded: ControlPlane) -> None:
    first, event, *_ = recorded.proof()
    for line in (NESTED, b"", b"{}", b"[1]"):
        with pytest.raises(ChainBroken, match="position 2: its line is no event"):
            verify_proof([first, event, line])


@pytest.mark.parametrize(("after", "upto"), [(5, 5), (-5, -5), (3, 2), (-1, 5)])
def test_a_proof_of_no_event_is_none(recorded: ControlPlane, after: int, upto: int) -> None:
    header = json.loads(next(recorded.proof())) | {"after": after, "upto": upto}
    with pytest.raises(ProofUnreadable, match=f"from after {after} up to {upto}"):
        verify_proof([json.dumps(header | {"hash": header["previous"]}).encode()])


def test_nothing_comes_before_the_first_event(recorded: ControlPlane) -> None:
    header = json.loads(next(recorded.proof())) | {"previous": "ab" * 32}
    with pytest.raises(ProofUnreadable, match="its first event is said to have one before it"):
        verify_proof([json.dumps(header).encode()])


def test_what_was_noted_may_not_contradict_itself(recorded: ControlPlane) -> None:
    lines, right = list(recorded.proof()), recorded.head()
    wrong = Head(right.position, b"x" * 32)
    beyond = Head(99, b"x" * 32), Head(99, b"y" * 32)
    assert verify_proof(lines, [right, Head(right.position, right.hash)])[1] == right
    for noted in ([right, wrong], [wrong, right], [right, *beyond]):
        position = noted[-1].position
        with pytest.raises(ChainBroken, match=f"position {position}: .* contradicts itself"):
            verify_proof(lines, noted)


@pytest.mark.parametrize(("after", "upto"), [(5, 5), (3, 2), (0, 6), (-1, 2)])
def test_a_range_that_is_none_is_refused(recorded: ControlPlane, after: int, upto: int) -> None:
    with pytest.raises(InvalidInput, match="positions 1 to 5"):
        recorded.proof(after, upto)
