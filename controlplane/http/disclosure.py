"""What of an event everybody may see who may read: all, but what lets others in.

The URL of a webhook may be a secret in itself. Whoever may manage webhooks sees it there. And to a
token for some flags others are not there, though a freeze hold them together.
"""

from dataclasses import replace
from urllib.parse import urlsplit

import msgspec

from controlplane.plane.tokens import Caller
from controlplane.reports.contents import Report
from events.event import Event, RecordedEvent
from events.freezes import FreezeDeclared
from events.webhooks import WebhookChanged, WebhookRegistered


def disclosed(recorded: RecordedEvent[Event]) -> RecordedEvent[Event]:
    """The event as it is shown; its hash is still that of the whole."""
    if not isinstance(recorded.event, WebhookRegistered | WebhookChanged):
        return recorded
    parts = urlsplit(recorded.event.url)
    data = msgspec.json.decode(recorded.data) | {"url": f"{parts.scheme}://{parts.netloc}/…"}
    return msgspec.structs.replace(recorded, data=msgspec.json.encode(data).decode())


def narrowed(recorded: RecordedEvent[Event], caller: Caller) -> RecordedEvent[Event]:
    """The same for who may see some flags: of a freeze of several, these."""
    event = recorded.event
    if not isinstance(event, FreezeDeclared) or all(map(caller.sees, event.flags)):
        return disclosed(recorded)
    flags = tuple(filter(caller.sees, event.flags)) or (_OTHERS,)
    data = msgspec.json.decode(recorded.data) | {"flags": flags}
    return msgspec.structs.replace(
        recorded,
        event=msgspec.structs.replace(event, flags=flags),
        data=msgspec.json.encode(data).decode(),
    )


def narrowed_report(report: Report, caller: Caller) -> Report:
    """A compliance report for who may see some flags."""
    dossier = report.dossier
    freezes = tuple(narrowed(event, caller) for event in dossier.freezes)
    timeline = tuple(replace(one, event=narrowed(one.event, caller)) for one in report.timeline)
    return replace(report, dossier=replace(dossier, freezes=freezes), timeline=timeline)


_OTHERS = "…"
"""In place of all names: without any it would be a freeze of all flags."""
