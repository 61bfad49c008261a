"""`controlplane log …`: an auditor's day, without trust in the database."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.journeys.traffic import FLAG


def rewritten(terminal: Terminal, statement: str) -> None:
    with sqlite3.connect(terminal.folder / "terminal.db") as database:
        for name in ("event_log_no_update", "event_log_no_delete"):
            database.execute(f"DROP TRIGGER IF EXISTS {name}")
        database.execute(statement)
    database.close()


def test_a_log_is_held_to_what_was_signed(flagged: Terminal) -> None:
    assert "log.key signs" in flagged.says("log", "keygen")
    taken = flagged.says("log", "checkpoint", "--key", "log.key")
    (flagged.folder / "kept.jsonl").write_text(taken)
    flagged.says("flags", "enable", FLAG, "--percentage", "5")
    keys = ("--checkpoints", "kept.jsonl", "--public-key", "log.key.pub")
    assert "held to 1 checkpoint\n" in flagged.says("log", "verify", *keys)
    assert flagged.data("log", "verify", *keys)["checkpoints"] == 1
    assert "--public-key FILE" in flagged.refuses("log", "verify", *keys[:2])
    gone = flagged.refuses("log", "verify", "--checkpoints", "no.jsonl", *keys[2:])
    assert "cannot read checkpoints no.jsonl" in gone
    gone = flagged.refuses("log", "verify", *keys[:3], "no.pub")
    assert "cannot read public key no.pub" in gone
    rewritten(flagged, "DELETE FROM event_log WHERE position > 1")
    rewritten(
        flagged,
        "UPDATE log_head SET position = 0, hash = zeroblob(32), recorded_at = 0",
    )
    rewritten(flagged, "DELETE FROM event_log")
    where = f"environment production of {flagged.database}"
    assert flagged.says("log", "verify") == f"empty: there are no events in {where}\n"
    said = flagged.refuses("log", "verify", *keys)
    assert f"log of {where} has only 0 events, and position 1 was noted earlier" in said


def test_another_environment_is_not_taken_for_one_that_is_intact(flagged: Terminal) -> None:
    flagged.says("log", "keygen")
    (flagged.folder / "kept.jsonl").write_text(
        flagged.says("--environment", "prod", "log", "checkpoint", "--key", "log.key")
    )
    verify = ("--environment", "prod", "log", "verify")
    where = f"environment prod of {flagged.database}"
    assert flagged.says(*verify) == f"empty: there are no events in {where}\n"
    keys = ("--checkpoints", "kept.jsonl", "--public-key", "log.key.pub")
    assert f"there are no events in {where}" in flagged.refuses(*verify, *keys)
    said = flagged.refuses(*verify, "--expect", f"10009:{'ab' * 32}")
    assert f"log of {where} has only 0 events, and position 10009 was noted earlier" in said


@pytest.mark.parametrize(
    "words", ["log verify", "log head", "flags list", "projections verify", "flags disable x"]
)
def test_a_database_that_is_not_there_is_not_made_by_looking(
    terminal: Terminal, words: str
) -> None:
    said = terminal.refuses(*words.split())
    assert f"there is no database {terminal.folder / 'terminal.db'}: name the one you mean" in said
    assert list(terminal.folder.iterdir()) == []
    terminal.says("db", "upgrade")
    assert terminal.run(*words.split()).exit_code == (words == "flags disable x")


def test_a_log_that_is_broken_is_not_signed(flagged: Terminal) -> None:
    flagged.says("log", "keygen")
    rewritten(flagged, "UPDATE event_log SET actor_id = 'mallory' WHERE position = 1")
    sign = ("log", "checkpoint", "--key", "log.key")
    assert "altered at position 1" in flagged.refuses(*sign)
    assert '"position":1' in flagged.says(*sign, "--unverified").replace(" ", "")


def test_a_range_is_taken_elsewhere_and_verified_there(flagged: Terminal, tmp_path: Path) -> None:
    flagged.says("log", "keygen", "audit.key")
    flagged.says("flags", "enable", FLAG, "--percentage", "5")
    taken = flagged.says("log", "checkpoint", "--key", "audit.key")
    (tmp_path / "kept.jsonl").write_text(taken)
    flagged.says("log", "export", "range.jsonl", "--proof", "--after", "1")
    (tmp_path / "terminal.db").unlink()
    alone = flagged.says("log", "verify-export", "range.jsonl")
    assert "2 events of production, positions 2 to 3, held to nothing elsewhere" in alone
    keys = ("--checkpoints", "kept.jsonl", "--public-key", "audit.key.pub")
    assert "held to position 3" in flagged.says("log", "verify-export", "range.jsonl", *keys)
    text = (tmp_path / "range.jsonl").read_text().replace("5.0", "50.0", 1)
    (tmp_path / "range.jsonl").write_text(text)
    assert "from position 2 to 3" in flagged.refuses("log", "verify-export", "range.jsonl", *keys)
    assert not (tmp_path / "terminal.db").exists()


def test_an_end_that_is_gone_is_named(flagged: Terminal) -> None:
    flagged.says("flags", "enable", FLAG, "--percentage", "5")
    rewritten(flagged, "DELETE FROM event_log WHERE position = 2")
    for ends in (("--upto", "2"), ("--after", "2")):
        said = flagged.refuses("log", "export", "range.jsonl", "--proof", *ends)
        assert "altered at position 2: event 2 is missing" in said


def test_a_note_that_contradicts_a_checkpoint_is_refused(flagged: Terminal) -> None:
    flagged.says("log", "keygen")
    taken = flagged.says("log", "checkpoint", "--key", "log.key")
    (flagged.folder / "kept.jsonl").write_text(taken)
    flagged.says("log", "export", "range.jsonl", "--proof")
    head = flagged.says("log", "head").split()[0]
    keys = ("--checkpoints", "kept.jsonl", "--public-key", "log.key.pub")
    noted = ("--expect", f"{head}:{'ab' * 32}")
    said = flagged.refuses("log", "verify-export", "range.jsonl", *keys, *noted)
    assert f"position {head}: what was noted elsewhere contradicts itself" in said


def test_what_was_noted_of_another_range_proves_nothing(flagged: Terminal) -> None:
    flagged.says("flags", "enable", FLAG, "--percentage", "5")
    head = flagged.says("log", "head").replace(" ", ":").strip()
    flagged.says("log", "export", "range.jsonl", "--proof", "--upto", "2")
    line = flagged.refuses("log", "verify-export", "range.jsonl", "--expect", head)
    assert "none of what was noted speaks of this range" in line
