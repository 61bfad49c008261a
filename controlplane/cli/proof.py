"""`controlplane log …`: proving that the record is as it was written."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from controlplane import checkpoints
from controlplane.cli.output import Json, line, opened, progress, say, to_json
from controlplane.errors import InvalidInput
from controlplane.plane import ControlPlane
from controlplane.plane.proving import witness
from events.checkpoints import Checkpoint
from events.cloudevents import to_cloudevent
from events.errors import LogTooShort
from events.proof import read_header, verify_proof

app = typer.Typer()

Checkpoints = Annotated[
    Path | None, typer.Option("--checkpoints", help="A file of signed checkpoints, one a line.")
]
PublicKeys = Annotated[
    list[Path],
    typer.Option("--public-key", help="Whose signatures count, in PEM. Repeatable."),
]


@app.command()
def keygen(
    private: Annotated[Path, typer.Argument(help="Where the private key goes.")] = Path("log.key"),
    *,
    as_json: Json = False,
) -> None:
    """Make a pair of keys to sign checkpoints with: NAME, for you alone, and NAME.pub."""
    public = private.with_name(private.name + ".pub")
    made = checkpoints.make_keys(private, public)
    say(
        f"key {made}: {private} signs, {public} verifies; give the second one to your auditors",
        as_json,
        lambda: {"key": made, "private": str(private), "public": str(public)},
    )


@app.command()
def checkpoint(
    *,
    key: Annotated[Path, typer.Option(help="The private key that signs, in PEM.")],
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Sign what the head says, without walking to it.")
    ] = False,
) -> None:
    """Verify the log, and sign it: a line of JSON, to keep where its admins cannot write."""
    with opened() as plane, progress("verifying") as moved:
        taken = plane.checkpoint(key, unverified=unverified, progress=moved)
    sys.stdout.write(to_json(msgspec.to_builtins(taken)) + "\n")


@app.command()
def verify(
    *,
    expect: Annotated[
        str | None, typer.Option(help="POSITION:HASH noted earlier; the log must still hold it.")
    ] = None,
    checkpoints_: Checkpoints = None,
    public_key: PublicKeys = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    as_json: Json = False,
) -> None:
    """Walk the hash chain; name the first position that was altered, removed or moved."""
    with opened() as plane, progress("verifying") as moved:
        signed = _signed(checkpoints_, public_key, plane.environment)
        where = f"environment {plane.environment} of {plane.safe_url}"
        try:
            found = plane.verify(expect=expect, checkpoints=signed, progress=moved)
        except LogTooShort as error:
            log = f"The log of {where}"
            raise LogTooShort(**error.details | {"log": log}) from error
    if not found.position and (signed or expect):
        raise InvalidInput(reason=f"there are no events in {where}: nothing is held to anything")
    kept = "1 checkpoint" if len(signed) == 1 else f"{len(signed)} checkpoints"
    held = f", held to {kept}" if signed else ""
    intact = f"intact: {found.position} events, head {found.hash.hex()}{held}"
    say(
        intact if found.position else f"empty: there are no events in {where}",
        as_json,
        lambda: {
            "intact": True,
            "position": found.position,
            "hash": found.hash.hex(),
            "checkpoints": len(signed),
        },
    )


def _signed(file: Path | None, keys: list[Path], environment: str) -> list[Checkpoint]:
    if file is None:
        return []
    if not keys:
        raise InvalidInput(reason="say whose signatures count: --public-key FILE")
    public = [_public_key(key) for key in keys]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise InvalidInput(reason=f"cannot read checkpoints {file}: {error}") from error
    return checkpoints.read(lines, public, environment)


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        return checkpoints.read_public_key(file)
    except OSError as error:
        raise InvalidInput(reason=f"cannot read public key {file}: {error}") from error


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Default: standard output.")] = None,
    *,
    after: Annotated[int, typer.Option(min=0, help="Only positions above this one.")] = 0,
    upto: Annotated[int | None, typer.Option(min=1, help="The last position.")] = None,
    proof: Annotated[
        bool, typer.Option("--proof", help="A file that proves itself without the database.")
    ] = False,
) -> None:
    """Write events as CloudEvents 1.0, a JSON document a line; with --proof as they were hashed."""
    with opened() as plane, progress("exporting") as moved:
        last = min(plane.head().position, upto or sys.maxsize)
        written = 0
        target = sys.stdout if file is None else file.open("w", encoding="utf-8")
        try:
            for text in _proven(plane, after, upto) if proof else _told(plane, after, last):
                target.write(text + "\n")
                written += 1
                moved(min(after + written, last), last)
        finally:
            if file is not None:
                target.close()
    if file is not None:
        line(f"{written - proof} events in {file}")


def _proven(plane: ControlPlane, after: int, upto: int | None) -> Iterator[str]:
    return (one.decode() for one in plane.proof(after, upto))


def _told(plane: ControlPlane, after: int, last: int) -> Iterator[str]:
    while after < last and (page := plane.log.read(after, min(1000, last - after))):
        yield from (to_json(to_cloudevent(event)) for event in page)
        after = page[-1].position


@app.command("verify-export")
def verify_export(
    file: Annotated[Path, typer.Argument(help="What `log export --proof` wrote.")],
    *,
    expect: Annotated[
        str | None, typer.Option(help="POSITION:HASH noted earlier, of the range.")
    ] = None,
    checkpoints_: Checkpoints = None,
    public_key: PublicKeys = [],  # noqa: B006  why: Typer reads the default, nobody changes it
    as_json: Json = False,
) -> None:
    """Verify a proof, without the database: by itself, or held to what was noted elsewhere."""
    with file.open("rb") as lines:
        environment = read_header(lines.readline()).environment
        lines.seek(0)
        noted = [one.head for one in _signed(checkpoints_, public_key, environment)]
        noted += [witness(expect)] if expect else []
        header, held = verify_proof(lines, noted)
    if noted and not held.position:
        raise InvalidInput(
            reason="none of what was noted speaks of this range, so it proves nothing: end the "
            f"range at one of these positions: {', '.join(str(one.position) for one in noted)}"
        )
    count = header.upto - header.after
    proven = f"held to position {held.position}" if held.position else "held to nothing elsewhere"
    say(
        f"intact: {count} events of {header.environment}, positions {header.after + 1} to "
        f"{header.upto}, {proven}",
        as_json,
        lambda: msgspec.to_builtins(header) | {"held_to": held.position or None},
    )
