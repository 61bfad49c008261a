"""A replay as JSON has it."""

import msgspec

from controlplane.history.pictures import Picture
from controlplane.history.replaying import Scene
from controlplane.history.retaking import Retaken
from controlplane.past_views import change_view
from controlplane.sentences import sentence
from controlplane.views import Json, event_view, moment


def scene_view(scene: Scene) -> Json:
    """One event, in a sentence too; what it altered; what could then be seen of its flag."""
    return {
        "event": event_view(scene.event),
        "sentence": sentence(scene.event.event),
        "changes": [change_view(change) for change in scene.changes],
        "picture": picture_view(scene.picture) if scene.picture else None,
    }


def picture_view(picture: Picture) -> Json:
    """A flag at one moment."""
    data: Json = msgspec.to_builtins(picture)
    alerts = [alert | {"raised_at": moment(alert["raised_at"])} for alert in data["alerts"]]
    return data | {"at": moment(picture.at), "alerts": alerts}


def retaken_view(retaken: Retaken) -> Json:
    """What came of deciding again."""
    data: Json = msgspec.to_builtins(retaken)
    return data | {"identical": retaken.identical}
