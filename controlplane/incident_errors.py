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
    """There is no incident {incident}. See: controlplane incidents list --all."""

    status = HTTPStatus.NOT_FOUND


class IncidentIsOpen(ControlPlaneError):
    """Incident {incident} is open on flag {flag} already. Write to it what you know:
    controlplane incidents note {incident} NOTE."""

    status = HTTPStatus.CONFLICT


class IncidentIsClosed(ControlPlaneError):
    """Incident {incident} was closed already: {reason}."""

    status = HTTPStatus.CONFLICT


class IncidentNotOver(ControlPlaneError):
    """Incident {incident} is not over: alert {alert} is open. Resolve it first:
    controlplane alerts resolve {alert} --reason WHY."""

    status = HTTPStatus.CONFLICT
