"""git as a subprocess: plumbing only, with a timeout and a plain environment."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_TIMEOUT_SECONDS = 60

_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",  # reading the history of a partial clone must not go online
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


def git(repo: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run a git command in a repository and return what it printed.

    Raises OSError where there is no git, and SubprocessError where git fails or takes more
    than a minute.
    """
    executable = shutil.which("git")
    if executable is None:
        raise FileNotFoundError("git is not installed")
    # GIT_DIR and its kin, left by a hook that runs us, would point at another repository.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(  # noqa: S603  why: a list of arguments, no shell
        [executable, "--no-pager", "-C", str(repo), *arguments],
        input=stdin,
        capture_output=True,
        check=True,
        timeout=_TIMEOUT_SECONDS,
        env=inherited | _ENVIRONMENT,
    ).stdout


def cat_blobs(answer: bytes) -> Iterator[tuple[str, bytes]]:
    """Take apart what `git cat-file --batch` printed: the blobs, each with its name."""
    position = 0
    while position < len(answer):
        end = answer.index(b"\n", position)
        name, *kind = answer[position:end].decode().split(" ")
        position = end + 1
        if len(kind) == 1:  # "missing": the object is not in this clone
            continue
        size = int(kind[1])
        if kind[0] == "blob":
            yield name, answer[position : position + size]
        position += size + 1
