"""Which ordinary commands lead a flag back to how it stood."""

from collections.abc import Iterator

from controlplane.flags import ChangeExposure, DescribeFlag, DisableFlag, EnableFlag, FlagCommand
from controlplane.variants import DefineVariants
from events.flags import EVERYONE
from projections.flags import Exposure, Flag

_LONGEST = 2000


def steps(flag: Flag, was: Flag, reason: str) -> Iterator[FlagCommand]:
    """From how it stands to how it stood: who it serves is lowered first, and raised last.

    Its rollouts are not part of it, and what is final stays: salt, algorithm, and the archive.
    """
    reason = reason[:_LONGEST]
    if flag.enabled and not was.enabled:
        yield DisableFlag(reason=reason)
    if (flag.owner, flag.description, flag.tags) != (was.owner, was.description, was.tags):
        yield DescribeFlag(owner=was.owner, description=was.description, tags=was.tags)
    if was.exists and not was.archived and not flag.archived:
        # Where they are the same it changes nothing.
        yield DefineVariants(
            kind=was.kind, variants=was.variants, default=was.default, reason=reason
        )
    if was.enabled:
        yield from _exposures(flag, was, reason)


def _exposures(flag: Flag, was: Flag, reason: str) -> Iterator[FlagCommand]:
    now = {e.audience.name: e for e in flag.exposures if flag.enabled}
    then = {e.audience.name: e for e in was.exposures}
    for name, served in now.items():
        before = then.get(name, Exposure(served.audience, 0.0))
        if before.percentage < served.percentage:
            yield ChangeExposure(
                percentage=before.percentage, audience=served.audience, reason=reason
            )
    if not flag.enabled and not then:
        yield EnableFlag(percentage=0.0, audience=EVERYONE, reason=reason)
    for name, before in then.items():
        if now.get(name) != before:
            yield EnableFlag(percentage=before.percentage, audience=before.audience, reason=reason)
