"""Real edits: what the commits of a git repository did to its text files.

Only git's plumbing is asked. The text of an edit comes from the blobs and only the line
ranges come from the diff, so neither quoted paths nor a missing last newline can mislead.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import SubprocessError

from batchpatch.git import cat_blobs, git
from batchpatch.lines import line_starts
from batchpatch.patch import Batch, Patch

_MAX_FILE_BYTES = 512 * 1024
_MAX_TOTAL_BYTES = 128 * 1024 * 1024  # all edits are held in memory at once
_COMMITS_PER_EDIT = 4  # commits looked at for each edit wanted; many only add or delete files

_REGULAR_FILES = {b"100644", b"100755"}  # not symbolic links, not submodules
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True)
class _Change:
    """One file that one commit modified; `old` and `new` name its blobs."""

    commit: str
    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines of the old and of the new text, as indexes into their line starts."""

    old: slice
    new: slice


def edits_from_git(repo: Path, limit: int = 500) -> list[Batch]:
    """Return the latest edits in the history of a repository, newest first.

    An edit is one commit's modification of one text file; each hunk is a patch, and the
    committed text is expected. Left out: merges, added and deleted files, binary files, text
    that is not UTF-8, and files over 512 KiB. Empty where there is no git or no history.
    """
    try:
        changes = list(_small(repo, _changes(repo, limit), 2 * limit))
        hunks = _hunks(repo, changes)
        texts = _texts(repo, changes)
    except (OSError, SubprocessError):
        return []
    batches: list[Batch] = []
    for change in changes:
        old, new = texts.get(change.old), texts.get(change.new)
        ranges = hunks.get((change.old, change.new))
        if old is not None and new is not None and ranges:
            label = f"{change.commit[:12]} {change.path}"
            batches.append(Batch(old, _patches(old, new, ranges), new, label))
    return batches[:limit]


def _patches(old: str, new: str, hunks: list[_Hunk]) -> tuple[Patch, ...]:
    old_starts, new_starts = line_starts(old), line_starts(new)
    return tuple(
        Patch.between(
            old_starts[hunk.old.start],
            old_starts[hunk.old.stop],
            new[new_starts[hunk.new.start] : new_starts[hunk.new.stop]],
        )
        for hunk in hunks
    )


def _changes(repo: Path, limit: int) -> Iterator[_Change]:
    """Yield the modifications of regular files, newest commit first."""
    count = f"--max-count={limit * _COMMITS_PER_EDIT}"
    commits = git(repo, "rev-list", "--no-merges", count, "HEAD", "--")
    raw = _diff_tree(repo, commits, "--raw", "-z", "--no-abbrev")
    fields = iter(raw.split(b"\0"))
    commit = ""
    for field in fields:
        if not field.startswith(b":"):
            commit = field.decode().strip()
            continue
        old_mode, new_mode, old, new, _status = field[1:].split(b" ")
        path = next(fields).decode(errors="replace")
        if {old_mode, new_mode} <= _REGULAR_FILES and old != new:
            yield _Change(commit, path, old.decode(), new.decode())


def _small(repo: Path, changes: Iterable[_Change], limit: int) -> Iterator[_Change]:
    """Yield the changes between files of bearable size, as long as there is room for them."""
    changes = list(changes)
    sizes = _sizes(repo, changes)
    total = 0
    seen: set[str] = set()
    for change in changes:
        blobs = {change.old, change.new}
        if any(sizes.get(blob, _MAX_FILE_BYTES + 1) > _MAX_FILE_BYTES for blob in blobs):
            continue
        total += sum(sizes[blob] for blob in blobs - seen)
        seen |= blobs
        limit -= 1
        if limit < 0 or total > _MAX_TOTAL_BYTES:
            return
        yield change


def _sizes(repo: Path, changes: list[_Change]) -> dict[str, int]:
    answer = git(repo, "cat-file", "--batch-check", stdin=_blob_list(changes))
    rows = (line.split(" ") for line in answer.decode().splitlines())
    return {row[0]: int(row[2]) for row in rows if row[1] == "blob"}


def _texts(repo: Path, changes: list[_Change]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for blob, content in cat_blobs(git(repo, "cat-file", "--batch", stdin=_blob_list(changes))):
        try:
            texts[blob] = content.decode()
        except UnicodeDecodeError:
            continue
    return texts


def _hunks(repo: Path, changes: list[_Change]) -> dict[tuple[str, str], list[_Hunk]]:
    """Return the hunks between two blobs; there are none between binary ones."""
    commits = "".join(f"{commit}\n" for commit in dict.fromkeys(c.commit for c in changes))
    diff = _diff_tree(repo, commits.encode(), "--patch", "--unified=0", "--full-index")
    hunks: dict[tuple[str, str], list[_Hunk]] = {}
    current: list[_Hunk] = []
    # Lines of content begin with " ", "+", "-" or "\", so no content can pass for these.
    for line in diff.split(b"\n"):
        if match := _INDEX.match(line):
            current = hunks[match[1].decode(), match[2].decode()] = []
        elif match := _HUNK.match(line):
            current.append(_Hunk(_lines(match[1], match[2]), _lines(match[3], match[4])))
    return hunks


def _lines(first: bytes, count: bytes | None) -> slice:
    """Turn git's line range into indexes: it counts from 1, and an empty range from 0."""
    length = 1 if count is None else int(count)
    start = int(first) - 1 if length else int(first)
    return slice(start, start + length)


def _diff_tree(repo: Path, commits: bytes, *options: str) -> bytes:
    return git(
        repo,
        "diff-tree",
        "--stdin",
        "-r",
        "--diff-filter=M",
        "--no-renames",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--ignore-submodules=all",
        *options,
        stdin=commits,
    )


def _blob_list(changes: list[_Change]) -> bytes:
    names = dict.fromkeys(name for change in changes for name in (change.old, change.new))
    return "".join(f"{name}\n" for name in names).encode()
