"""Every stored name and its class, once."""

from typing import get_args

from events.access import AccessEvent
from events.alerts import AlertEvent
from events.event import Event
from events.executions import BatchExecuted
from events.flags import FlagEvent
from events.freezes import FreezeEvent
from events.incidents import IncidentEvent
from events.rollouts import RolloutEvent
from events.scheduler import LeaseTaken
from events.webhooks import DeliveryEvent, WebhookEvent

CATALOG: dict[str, type[Event]] = {
    cls.TYPE: cls
    for cls in (
        *get_args(FlagEvent),
        *get_args(RolloutEvent),
        BatchExecuted,
        *get_args(AlertEvent),
        LeaseTaken,
        *get_args(FreezeEvent),
        *get_args(IncidentEvent),
        *get_args(AccessEvent),
        *get_args(WebhookEvent),
        *get_args(DeliveryEvent),
    )
}
