"""Writing processes are killed with no time to say goodbye: what was answered is in the log."""

import time
from itertools import islice
from multiprocessing import get_context

from events import Receipt
from tests.contracts.processes import append_and_tell, batches, chance, open_log

LIVES = 4
THREADS = 3


def test_what_was_answered_before_a_kill_is_kept_and_a_retry_completes_the_rest(url: str) -> None:
    told = kill_some(url)
    log = open_log(url)
    log.verify()
    appended = 0
    for writer, answers in told.items():
        for number, batch in enumerate(islice(batches(writer), len(answers) + 2)):
            receipts = log.append(batch)
            if number < len(answers):
                assert receipts == [Receipt(at, duplicate=True) for at in answers[number]]
            appended += len(batch)
    assert log.verify().position == appended
    ids = [event.id for event in log.read(limit=appended + 1)]
    assert len(ids) == len(set(ids)) == appended
    log.close()


def kill_some(url: str) -> dict[int, list[list[int]]]:
    """Let processes write, and kill each at a moment of its own; all answers, by writer."""
    context, dice = get_context("spawn"), chance(time.monotonic_ns())
    lives = []
    for life in range(LIVES):
        ours, theirs = context.Pipe(duplex=False)
        writers = range(1 + life * THREADS, 1 + (life + 1) * THREADS)
        process = context.Process(target=append_and_tell, args=(url, writers, theirs))
        process.start()
        theirs.close()
        lives.append((process, ours))
    told: dict[int, list[list[int]]] = {}
    for process, answers in lives:
        answers.poll(30)
        time.sleep(dice.uniform(0.01, 0.5))
        process.kill()
        process.join()
        try:
            while True:
                writer, number, positions = answers.recv()
                assert number == len(told.setdefault(writer, []))
                told[writer].append(positions)
        except EOFError:
            answers.close()
    assert len(told) >= LIVES
    return told
