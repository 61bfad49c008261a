"""DECIDE: what may happen next."""

from controlplane.plane import ControlPlane
from controlplane.plans import FOUR_WAVES, Plan

__all__ = ["FOUR_WAVES", "ControlPlane", "Plan"]
