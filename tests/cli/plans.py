"""Plans for the terminal: small ones that ask for people."""

from typing import Any

RATE = {"kind": "rate_below", "name": "error_rate", "bound": 0.05}
LOOKED = {"kind": "manual", "name": "looked", "role": "lead", "text": "Somebody read the output"}
BILLING = {"kind": "external", "name": "billing", "url": "http://localhost:1/ok"}
RUNBOOK = {"name": "runbook", "area": "team", "role": "on-call"}


def plan(*criteria: Any, hold: str = "1ms", **fields: Any) -> dict[str, Any]:
    """Half of everyone, then all, each for an instant."""
    shown = list(criteria) or [RATE]
    waves = [
        {"name": "half", "percentage": 50, "hold": hold, "criteria": shown},
        {"name": "all", "percentage": 100, "hold": hold, "criteria": [RATE]},
    ]
    return {"name": "two", "waves": waves, **fields}
