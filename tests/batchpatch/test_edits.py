import ast
import os
import subprocess
from pathlib import Path

import pytest
from batchpatch import (
    Batch,
    Operation,
    Pipeline,
    apply_control,
    edits,
    edits_from_git,
    edits_from_stdlib,
)

BIG = 512 * 1024


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.run("init", "--quiet", "--initial-branch=main")

    def run(self, *arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        plain = ("-c", "commit.gpgsign=false", "-c", "core.autocrlf=false")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        subprocess.run(  # noqa: S603  why: a list of arguments, no shell
            ["git", *identity, *plain, *arguments],  # noqa: S607  why: any git will do
            cwd=self.path,
            check=True,
            capture_output=True,
            env=environment,
        )

    def commit(self, files: dict[str, bytes | None]) -> None:
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--message", "change")

    def change(self, name: str, before: bytes, after: bytes) -> list[Batch]:
        """Commit both versions of a file; return the edits in the history."""
        self.commit({name: before})
        self.commit({name: after})
        return edits_from_git(self.path)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def assert_exact(batches: list[Batch]) -> None:
    for batch in batches:
        new, old = Pipeline().apply_batch(batch), apply_control(batch)
        assert (new.error, old.error) == ("", ""), batch.label
        assert new.text == old.text == batch.expected


def test_each_hunk_of_a_commit_becomes_a_patch(repository: Repository) -> None:
    (batch,) = repository.change("a.txt", b"1\n2\n3\n4\n5\n6\n", b"0\n1\n2\n4\n5\nsix\n")
    assert batch.document == "1\n2\n3\n4\n5\n6\n"
    assert [patch.operation for patch in batch.patches] == [
        Operation.INSERT,
        Operation.DELETE,
        Operation.REPLACE,
    ]
    assert batch.label.endswith(" a.txt")
    assert_exact([batch])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\nd\r\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\nb\n", b"a\nb"),
        (b"a\nb", b"a\nb\nc"),
        (b"", b"a\n"),
        (b"", b"a"),
        (b"a\nb\n", b""),
        (b"a\x0cb\rc\xe2\x80\xa8d\ne\n", b"a\x0cb\rc\xe2\x80\xa8D\nf\x85\n".replace(b"\x85", b"")),
        ("é\n🙂\nü\n".encode(), "é\n🙃🙃\nü\nß\n".encode()),
        (b"\xef\xbb\xbfa\n", b"\xef\xbb\xbfb\n"),
        (b"- a\n-- b\n", b"-- b\n+++ c\n@@ -1 +1 @@\nindex 00..11\ndiff --git a/x b/x\n"),
        (b"\n\n\n", b"\n\n\n\n"),
    ],
    ids=[
        "CRLF",
        "newline at the end added",
        "newline at the end removed",
        "line after a missing newline",
        "empty before",
        "empty before, no newline",
        "empty after",
        "characters that only str.splitlines splits at",
        "more than one byte to a character",
        "byte order mark",
        "content that looks like a diff",
        "blank lines",
    ],
)
def test_an_edit_gives_exactly_what_was_committed(
    before: bytes, after: bytes, repository: Repository
) -> None:
    batches = repository.change("file", before, after)
    assert [(b.document.encode(), str(b.expected).encode()) for b in batches] == [(before, after)]
    assert_exact(batches)


@pytest.mark.parametrize(
    "name", ['with "quotes".txt', "tab\there", "line\nbreak", "ünï/cödé.txt", "-n", ": x M"]
)
def test_any_file_name_will_do(name: str, repository: Repository) -> None:
    (batch,) = repository.change(name, b"a\n", b"b\n")
    assert batch.label.endswith(f" {name}")
    assert_exact([batch])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\0b\n", b"a\0c\n"),
        (b"caf\xe9\n", b"caf\xe9s\n"),
        (b"text\n", b"caf\xe9\n"),
        (b"x" * (BIG + 1), b"y\n"),
        (b"y\n", b"x" * (BIG + 1)),
    ],
    ids=["binary", "not UTF-8", "no longer UTF-8", "too big", "grown too big"],
)
def test_what_is_not_a_text_of_bearable_size_is_left_out(
    before: bytes, after: bytes, repository: Repository
) -> None:
    repository.commit({"file": before, "other": b"a\n"})
    repository.commit({"file": after, "other": b"b\n"})
    (batch,) = edits_from_git(repository.path)
    assert batch.label.endswith(" other")


def test_a_file_of_just_the_greatest_size_is_taken(repository: Repository) -> None:
    line = b"x" * 63 + b"\n"
    before = line * (BIG // len(line))
    batches = repository.change("file", before, before.replace(b"x", b"y", 1))
    assert len(batches) == 1
    assert_exact(batches)


def test_additions_deletions_renames_and_modes_are_no_edits(repository: Repository) -> None:
    repository.commit({"a": b"1\n2\n3\n", "b": b"b\n"})
    repository.commit({"a": None, "moved": b"1\n2\n3\n"})
    repository.run("update-index", "--chmod=+x", "b")
    repository.run("commit", "--quiet", "--message", "mode")
    assert edits_from_git(repository.path) == []


def test_an_edit_that_also_changes_the_mode_is_taken(repository: Repository) -> None:
    repository.commit({"run": b"a\n"})
    (repository.path / "run").write_bytes(b"b\n")
    repository.run("add", "run")
    repository.run("update-index", "--chmod=+x", "run")
    repository.run("commit", "--quiet", "--message", "mode and text")
    assert_exact(batches := edits_from_git(repository.path))
    assert len(batches) == 1


def test_symbolic_links_and_submodules_are_left_out(repository: Repository) -> None:
    for digit in "12":
        (repository.path / "link").unlink(missing_ok=True)
        (repository.path / "link").symlink_to(f"target-{digit}")
        repository.run("add", "link")
        repository.run("update-index", "--add", "--cacheinfo", f"160000,{digit * 40},module")
        repository.run("commit", "--quiet", "--message", "point elsewhere")
    assert edits_from_git(repository.path) == []


def test_merges_are_left_out_and_their_branches_are_not(repository: Repository) -> None:
    repository.commit({"a": b"1\n", "b": b"1\n"})
    repository.run("checkout", "--quiet", "-b", "side")
    repository.commit({"a": b"2\n"})
    repository.run("checkout", "--quiet", "main")
    repository.commit({"b": b"2\n"})
    repository.run("merge", "--quiet", "--no-ff", "--no-edit", "side")
    assert sorted(batch.label[-1] for batch in edits_from_git(repository.path)) == ["a", "b"]


def test_drivers_and_configuration_of_the_repository_change_nothing(
    repository: Repository,
) -> None:
    repository.commit({".gitattributes": b"*.up diff=up\n"})
    repository.run("config", "diff.up.textconv", "tr a-z A-Z <")
    repository.run("config", "diff.external", "false")
    repository.run("config", "diff.interHunkContext", "9")
    repository.run("config", "diff.noprefix", "true")
    repository.run("config", "diff.context", "9")
    repository.run("config", "color.ui", "always")
    batches = repository.change("a.up", b"a\nb\nc\nd\n", b"A\nb\nc\nD\n")
    assert len(batches) == 1
    assert_exact(batches)


def test_git_variables_of_a_hook_do_not_mislead(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert len(repository.change("a", b"1\n", b"2\n")) == 1


def test_the_latest_edits_come_first_and_the_limit_holds(repository: Repository) -> None:
    for version in range(5):
        repository.commit({"a": f"{version}\n".encode()})
    assert [b.expected for b in edits_from_git(repository.path, limit=2)] == ["4\n", "3\n"]


def test_two_files_with_the_same_change_make_two_edits(repository: Repository) -> None:
    repository.commit({"a": b"1\n", "b": b"1\n"})
    repository.commit({"a": b"2\n", "b": b"2\n"})
    assert_exact(batches := edits_from_git(repository.path))
    assert [batch.label[-1] for batch in batches] == ["a", "b"]


def test_without_a_repository_or_commits_there_are_no_edits(tmp_path: Path) -> None:
    assert edits_from_git(tmp_path) == []
    assert edits_from_git(tmp_path / "nowhere") == []
    assert edits_from_git(Repository(tmp_path).path) == []


def test_without_git_there_are_no_edits(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"a": b"1\n"})
    monkeypatch.setenv("PATH", "")
    assert edits_from_git(repository.path) == []


def test_the_standard_library_gives_exact_edits_of_several_patches() -> None:
    batches = edits_from_stdlib(60)
    assert len(batches) == 60
    assert len({batch.label.split()[0] for batch in batches}) > 5
    assert all(len(batch.patches) > 1 for batch in batches)
    assert {p.operation for b in batches for p in b.patches} == set(Operation)
    assert_exact(batches)
    assert edits_from_stdlib(60) == batches


def test_an_edit_of_the_standard_library_keeps_the_program() -> None:
    for batch in edits_from_stdlib(20):
        assert batch.expected is not None
        assert ast.dump(ast.parse(batch.document)) == ast.dump(ast.parse(batch.expected))


def test_a_decorator_belongs_to_the_function_and_odd_modules_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "@cache  # why\n@staticmethod\ndef f(a,b):\n    return a\n\n    # the end\n    pass"
    (tmp_path / "good.py").write_bytes(source.encode())
    (tmp_path / "crlf.py").write_bytes(source.replace("\n", "\r\n").encode())
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n" + source.encode())
    (tmp_path / "wrong.py").write_bytes(source.encode() + b" def")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    (batch,) = edits_from_stdlib()
    assert batch.label == "good.py f"
    assert batch.expected == "@cache\n@staticmethod\ndef f(a, b):\n    return a\n    pass\n"
    assert_exact([batch])


def test_a_long_enough_history_is_preferred(repository: Repository) -> None:
    for version in range(22):
        repository.commit({"a": f"{version}\n".encode()})
    batches, source = edits(repository.path, 500)
    assert len(batches) == 21
    assert source == f"21 edits from the git history of {repository.path}"


def test_a_short_history_gives_way_to_the_standard_library(repository: Repository) -> None:
    repository.change("a", b"1\n", b"2\n")
    for repo in (repository.path, None):
        batches, source = edits(repo, 30)
        assert len(batches) == 30
        assert source == "30 edits from the standard library"
