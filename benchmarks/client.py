"""What an answer and a record of the client cost: python benchmarks/client.py.

Beside the floor (one hash over an f-string, one comparison; one line of JSON appended to a file)
and whichever peers are installed (openfeature-sdk, UnleashClient, launchdarkly-server-sdk), in one
run: a flag at 25 % of everyone, one at 25 % of an audience, units that differ. Medians of several
rounds; ratios travel between machines, nanoseconds do not.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import mmh3
import msgspec
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.flag_evaluation import FlagResolutionDetails, Reason
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from controlplane import clock
from controlplane.bucketing import ALGORITHM
from controlplane.client import Client
from controlplane.client.known import Snapshot
from controlplane.client.openfeature import ControlPlaneProvider
from controlplane.client.server import Server
from controlplane.client.snapshot_file import SnapshotFile
from events.flags import EVERYONE, Audience, Condition
from projections.flags import Exposure, Flag

URL = "http://127.0.0.1:9"
UNITS = [f"user-{n}" for n in range(1000)]
BETA = {"group": "beta", "country": "de"}
ROUNDS = 7
ROOM = 1 << 40


def flags() -> list[Flag]:
    beta = Audience("beta", (Condition("group", "equals", "beta"),))
    on: dict[str, Any] = {"exists": True, "enabled": True, "algorithm": ALGORITHM}
    return [
        Flag(name="plain", salt="plain", exposures=(Exposure(EVERYONE, 25),), position=1, **on),
        Flag(name="ruled", salt="ruled", exposures=(Exposure(beta, 25),), position=2, **on),
    ]


def client_in(folder: Path) -> Client:
    """One that knows the flags from disk, and has no server."""
    raws = [msgspec.Raw(msgspec.json.encode(flag)) for flag in flags()]
    path = Server(URL).folder_in(folder) / "flags.json"
    SnapshotFile(path, URL).save(Snapshot("production", 2, raws), clock.now(), back=False)
    return Client(URL, directory=folder, offline=True)


def floor() -> Callable[[str], object]:
    digest, prefix, below = mmh3.mmh3_32_uintdigest, "plain:", 1 << 30

    def evaluate(unit: str) -> bool:
        return digest(f"{prefix}{unit}".encode()) < below

    return evaluate


def in_memory() -> InMemoryProvider:
    """OpenFeature's own provider, given the same rule."""
    digest = mmh3.mmh3_32_uintdigest

    def split(flag: InMemoryFlag[bool], context: EvaluationContext) -> FlagResolutionDetails[bool]:
        on = digest(f"plain:{context.targeting_key}".encode()) < 1 << 30
        variant = "on" if on else "off"
        return FlagResolutionDetails(flag.variants[variant], reason=Reason.SPLIT, variant=variant)

    return InMemoryProvider(
        {"plain": InMemoryFlag("off", {"on": True, "off": False}, context_evaluator=split)}
    )


def openfeature_over(domain: str, provider: Any) -> Callable[[str], object]:
    api.set_provider_and_wait(provider, domain)
    features = api.get_client(domain)
    contexts = {unit: EvaluationContext(unit) for unit in UNITS}
    return lambda unit: features.get_boolean_value(
        "plain", default_value=False, evaluation_context=contexts[unit]
    )


def unleash(folder: Path) -> Callable[[str], object]:
    from UnleashClient import UnleashClient  # noqa: PLC0415  why: where it is installed
    from UnleashClient.cache import FileCache  # noqa: PLC0415  why: where it is installed

    parameters = {"rollout": "25", "stickiness": "default", "groupId": "plain"}
    strategy = {"name": "flexibleRollout", "parameters": parameters}
    toggle = {"name": "plain", "enabled": True, "strategies": [strategy]}
    cache = FileCache("bench", str(folder))
    cache.bootstrap_from_dict({"version": 1, "features": [toggle]})
    client = UnleashClient(
        URL, "bench", cache=cache, disable_metrics=True, disable_registration=True
    )
    client.initialize_client(fetch_toggles=False)
    return lambda unit: client.is_enabled("plain", {"userId": unit})


def launchdarkly() -> Callable[[str], object]:
    import ldclient  # noqa: PLC0415  why: where it is installed
    from ldclient.integrations.test_data import TestData  # noqa: PLC0415  why: where it is installed
    from ldclient.versioned_data_kind import FEATURES  # noqa: PLC0415  why: where it is installed

    source = TestData.data_source()
    config = ldclient.Config("sdk", update_processor_class=source, send_events=False)
    client = ldclient.LDClient(config)
    weights = [{"variation": 0, "weight": 25_000}, {"variation": 1, "weight": 75_000}]
    flag = {
        "key": "plain", "version": 2, "on": True, "variations": [True, False], "salt": "s",
        "offVariation": 1, "fallthrough": {"rollout": {"variations": weights}},
    }  # fmt: skip
    config.feature_store.upsert(FEATURES, flag)
    contexts = {unit: ldclient.Context.create(unit) for unit in UNITS}
    return lambda unit: client.variation("plain", contexts[unit], default=False)


Call = Callable[[str], object]


def timed(call: Call, units: list[str]) -> int:
    """CPU time, in nanoseconds."""
    began = time.process_time_ns()
    for unit in units:
        call(unit)
    return time.process_time_ns() - began


def measure(calls: dict[str, Call], seconds: float) -> dict[str, float]:
    """Median nanoseconds of each call, with the loop around it; in turns, for so long each."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    share = seconds * 1e9 / ROUNDS
    repeats = {name: 1 + int(share / (timed(call, UNITS) + 1)) for name, call in calls.items()}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            units = UNITS * repeats[name]
            found[name].append(timed(call, units) / len(units))
    return {name: median(times) for name, times in found.items()}


def table(title: str, costs: dict[str, float]) -> None:
    """The first line is the floor."""
    base = next(iter(costs.values()))
    print(f"\n{title:42}{'ns':>9}{'x floor':>9}{'per second':>13}")
    for name, cost in costs.items():
        print(f"{name:42}{cost:9.0f}{cost / base:9.1f}{1e9 / cost:13,.0f}")


def evaluations(folder: Path) -> dict[str, Call]:
    client = client_in(folder)
    calls: dict[str, Call] = {
        "floor: mmh3 over an f-string, compare": floor(),
        "is_enabled, 25 % of everyone": partial(client.is_enabled, "plain"),
        "is_enabled, 25 % of an audience": lambda unit: client.is_enabled("ruled", unit, BETA),
        "value": partial(client.value, "plain"),
        "evaluate": partial(client.evaluate, "plain"),
        "OpenFeature over ControlPlaneProvider": openfeature_over(
            "ours", ControlPlaneProvider(client)
        ),
        "OpenFeature InMemoryProvider": openfeature_over("theirs", in_memory()),
    }
    for name, make in (
        ("UnleashClient", lambda: unleash(folder)),
        ("launchdarkly-server-sdk", launchdarkly),
    ):
        try:
            calls[name] = make()
        except ImportError:
            print(f"{name} is not installed")
    return calls


def line_floor(folder: Path) -> Callable[[str], object]:
    descriptor = os.open(folder / "floor.ndjson", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    encode = msgspec.json.Encoder().encode

    def record(unit: str) -> object:
        facts = {
            "id": clock.new_id(), "occurred_at": clock.now(), "flag": "plain", "cohort": "on",
            "unit": unit, "outcome": "succeeded", "duration_us": 41_000, "audience": "everyone",
            "replace": 2, "instance": "web-1:4711",
        }  # fmt: skip
        return os.write(descriptor, encode(facts) + b"\n")

    return record


def records(folder: Path) -> dict[str, Call]:
    clients = {
        "record, on disk": Client(URL, offline=True, directory=folder / "disk", spool_bytes=ROOM),
        "record, in memory": Client(URL, offline=True, spool_bytes=ROOM),
    }
    calls = {"floor: a line of JSON, appended": line_floor(folder)}
    return calls | {name: recorder(client) for name, client in clients.items()}


def recorder(client: Client) -> Call:
    answer = msgspec.structs.replace(client.evaluate("plain", "user-17"), audience="everyone")
    facts = {"outcome": "succeeded", "duration_us": 41_000, "replace": 2}
    return lambda unit: client.record(answer, unit=unit, **facts)


def synced(folder: Path) -> float:
    """Nanoseconds of a record with fsync, by the clock on the wall: the disk's time."""
    call = recorder(Client(URL, offline=True, directory=folder / "fsync", fsync=True))
    began = time.perf_counter_ns()
    for unit in UNITS:
        call(unit)
    return (time.perf_counter_ns() - began) / len(UNITS)


def main(seconds: float) -> None:
    """Print two tables."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        table("evaluation", measure(evaluations(Path(folder)), seconds))
        costs = measure(records(Path(folder)), seconds)
        table("record", costs | {"record, on disk with fsync": synced(Path(folder))})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each line")
    main(parser.parse_args().seconds)
