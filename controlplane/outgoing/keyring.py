"""Secrets by name. What is recorded is the name; the value is read where it is needed, each time.

A value is in no event, no row, no message and no line of a log: nothing here keeps or repeats it.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

from controlplane.errors import InvalidInput

VARIABLE = "CONTROLPLANE_WEBHOOK_SECRET_"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)
_MOST_KEYS = 2
_MOST_CHARACTERS = 1000
_HOW = (
    "make one: python -c \"import base64, secrets; print('whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())"'
)


class Keyring:
    """The environment, and a folder that an orchestrator mounts."""

    def __init__(self, environ: Mapping[str, str], folder: str = "") -> None:
        self._environ = environ
        self._folder = Path(folder) if folder else None

    def keys(self, name: str) -> tuple[bytes, ...]:
        """What to sign with: one key, or two while a secret is being exchanged.

        Raises InvalidInput, which tells the name and never the value.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                reason=f"{name!r:.80} names no secret: use up to 63 of a-z, 0-9 and _, and begin "
                "with a letter"
            )
        words = self._text(name).split()
        keys = [_key(word) for word in words[: _MOST_KEYS + 1]]
        if not 1 <= len(keys) <= _MOST_KEYS or None in keys:
            raise InvalidInput(
                reason=f"secret {name} is not {_PREFIX} and 24 to 64 bytes in base64 (or two of "
                f"these, with a space between); {_HOW}"
            )
        return tuple(key for key in keys if key is not None)

    def _text(self, name: str) -> str:
        variable = VARIABLE + name.upper()
        if variable in self._environ:
            return self._environ[variable]
        path = self._folder / name if self._folder else None
        if path is None or not path.is_file():
            raise InvalidInput(
                reason=f"secret {name} is not here: neither in {variable} nor in a file {name} of "
                "the folder CONTROLPLANE_SECRETS_DIR"
            )
        try:
            with path.open("rb") as file:
                return file.read(_MOST_CHARACTERS).decode("ascii", "replace")
        except OSError as error:
            raise InvalidInput(reason=f"secret {name} cannot be read: {error.strerror}") from error


def _key(word: str) -> bytes | None:
    """The bytes behind `whsec_…`; None for anything else."""
    text = word.removeprefix(_PREFIX)
    try:
        key = b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except ValueError:
        return None
    return key if word.startswith(_PREFIX) and len(key) in _KEY_BYTES else None
