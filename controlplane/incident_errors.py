"""Why a command about an incident is refused. A docstring is the message; `status` is HTTP's.

ControlPlaneError
├── IncidentNotFound       404
├── IncidentIsOpen         409
├── IncidentIsClosed       409
└── IncidentNotOver        409
"""

from http import HTTPStatus

from events.errors import ControlPlaneError

__all__ = ["IncidentIsClosed", "IncidentIsOpen", "IncidentNotFound", "IncidentNotOver"]


class IncidentNotFound(ControlPlaneError):
    """There is no incident {incident}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class IncidentIsOpen(ControlPlaneError):
    """Incident {incident} is open on flag {flag} already. Write to it what you know."""

    status = HTTPStatus.CONFLICT


class IncidentIsClosed(ControlPlaneError):
    """Incident {incident} was closed already: {reason}."""

    status = HTTPStatus.CONFLICT


class IncidentNotOver(ControlPlaneError):
    """Incident {incident} is not over: alert {alert} is open. Resolve it first."""

    status = HTTPStatus.CONFLICT
