"""Many writers, in threads and processes, and followers that miss nothing of what they write."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from tests.contracts.processes import LAST, open_log, tail, write_in_threads
from tests.events.builders import fact

SECONDS = 2.5
THREADS = 16
PROCESSES = 4
THREADS_A_PROCESS = 2


def test_followers_see_each_event_once_and_in_order_whoever_writes_at_once(url: str) -> None:
    log = open_log(url)
    elsewhere = [range(100 * n, 100 * n + THREADS_A_PROCESS) for n in range(1, 1 + PROCESSES)]
    with (
        ProcessPoolExecutor(PROCESSES + 1, get_context("spawn")) as processes,
        ThreadPoolExecutor(2) as threads,
    ):
        followers = [processes.submit(tail, url), threads.submit(tail, url)]
        answers = [
            *(processes.submit(write_in_threads, url, some, SECONDS) for some in elsewhere),
            threads.submit(write_in_threads, url, range(1, 1 + THREADS), SECONDS),
        ]
        verdicts = [verdict for answer in answers for verdict in answer.result()]
        log.append([fact(1, LAST)])
        in_another_process, in_another_thread = (follower.result() for follower in followers)

    kept = sum(events for events, _ in verdicts)
    conflicts = sum(conflicts for _, conflicts in verdicts)
    assert conflicts > 0
    assert all(events > 0 for events, _ in verdicts)
    assert [position for position, _ in in_another_process] == list(range(1, kept + 2))
    assert in_another_process == in_another_thread
    assert len({id_ for _, id_ in in_another_process}) == kept + 1
    assert log.verify().position == kept + 1
    for stream in range(1, 6):
        versions = [event.version for event in log.read_stream(f"flag-{stream}")]
        assert versions == list(range(1, len(versions) + 1))
    log.close()
