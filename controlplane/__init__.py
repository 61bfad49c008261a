"""DECIDE: what may happen next.

The names are looked up when first used: `controlplane.client` must not cost a server's imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from controlplane.plane import ControlPlane
    from controlplane.plane.rehearsals import rulebook
    from controlplane.plans import FOUR_WAVES, Plan

__all__ = ["FOUR_WAVES", "ControlPlane", "Plan", "rulebook"]

_HOMES = {
    "FOUR_WAVES": "controlplane.plans",
    "ControlPlane": "controlplane.plane",
    "Plan": "controlplane.plans",
    "rulebook": "controlplane.plane.rehearsals",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'controlplane' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
