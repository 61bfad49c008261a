from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.external import External
from controlplane.criteria.verdict import WORST_FIRST
from events.judgements import Verdict
from events.timestamps import DAY, HOUR, MINUTE
from projections.waves import Answer, WaveEvidence
from tests.controlplane.criteria.evidence import HOLD, arm, check, judge, seen, wave
from tests.projections.recording import START

LOAD_TEST = External(name="load test", url="https://ci.example.com/load?branch=v1")


def answered(verdict: str, ago: int = MINUTE, detail: str = "p99 was 212ms") -> WaveEvidence:
    answer = Answer(cast("Verdict", verdict), detail, START + HOLD - ago)
    return wave(arm(9), answers={"load test": answer, "another": Answer("FAIL", "", START)})


@pytest.mark.parametrize(
    ("evidence", "verdict", "sentence"),
    [
        (wave(arm(9)), "NO_DATA", "no answer yet from https://ci.example.com/load.*every 5m"),
        (answered("PASS"), "PASS", "answered PASS 1m ago: p99 was 212ms$"),
        (answered("PASS", HOUR), "PASS", "answered PASS 60m ago"),
        (answered("PASS", HOUR + 1), "INCONCLUSIVE", ".*; stale, need one not older than 1h$"),
        (answered("FAIL"), "FAIL", "answered FAIL 1m ago: p99 was 212ms$"),
        (answered("FAIL", 20 * HOUR), "FAIL", "answered FAIL 20h ago"),
        (answered("INCONCLUSIVE", detail=""), "INCONCLUSIVE", "answered INCONCLUSIVE 1m ago$"),
        (answered("NO_DATA"), "NO_DATA", "answered NO_DATA"),
        (answered("ERROR", detail="HTTP 500"), "ERROR", "answered ERROR 1m ago: HTTP 500$"),
    ],
)
def test_what_was_answered_is_the_verdict_while_it_is_fresh(
    evidence: WaveEvidence, verdict: str, sentence: str
) -> None:
    check(judge(LOAD_TEST, evidence), "load test", verdict, sentence)


@pytest.mark.parametrize(
    ("evidence", "due"),
    [
        (wave(), True),
        (answered("PASS", 4 * MINUTE), False),
        (answered("PASS", 5 * MINUTE), True),
        (answered("INCONCLUSIVE", 5 * MINUTE), True),
        (answered("ERROR", 5 * MINUTE), True),
        (answered("FAIL", 5 * HOUR), False),
    ],
)
def test_it_is_asked_again_until_it_fails(evidence: WaveEvidence, *, due: bool) -> None:
    assert LOAD_TEST.due(seen(evidence)) is due


@given(st.sampled_from(WORST_FIRST), st.integers(-HOUR, 30 * DAY))
def test_age_takes_a_pass_away_and_nothing_else(verdict: str, ago: int) -> None:
    found = judge(LOAD_TEST, answered(verdict, ago)).verdict
    assert found == ("INCONCLUSIVE" if verdict == "PASS" and ago > HOUR else verdict)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"url": "ftp://example.com/x"}, "write http://HOST/PATH or https://HOST/PATH"),
        ({"url": "file:///etc/passwd"}, "write http://HOST"),
        ({"url": "https:///path"}, "write http://HOST"),
        ({"url": "example.com"}, "write http://HOST"),
        ({"url": "http://example.com:99999/"}, "is no URL: Port out of range"),
        ({"url": "http://[::1/"}, "is no URL"),
        ({"url": "http://example.com/a b"}, "spaces or control characters"),
        ({"url": "http://example.com/\n"}, "spaces or control characters"),
        ({"url": "https://me:secret@example.com/"}, "name or password .* recorded for ever"),
        ({"timeout": "2m"}, "less than or equal to 60000000"),
        ({"timeout": "0s"}, "greater than 0"),
        ({"every": "1h"}, "asked every 1h, with answers good for 1h, it would go stale"),
        ({"max_age": "1m"}, "asked every 5m, with answers good for 1m"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        External(**{"url": "https://example.com/", **wrong})


@pytest.mark.parametrize("url", ["http://localhost:8080/x", "https://[::1]/", "HTTPS://a.b/?c=d#e"])
def test_web_addresses_are_taken(url: str) -> None:
    assert External(url=url).url == url
