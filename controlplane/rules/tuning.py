"""Alert rules with other thresholds: what may be tried in a rehearsal."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from controlplane import strict_yaml
from controlplane.errors import InvalidInput
from controlplane.known_fields import told
from controlplane.rules.catalog import RULES
from controlplane.rules.rule import NO_DATA, Finding, Rule, Watched
from events.alerts import Severity
from projections.vitals import KEPT_MINUTES


class Tuning(BaseModel):
    """What of a rule is to be otherwise; what is left out stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    threshold: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Above it the rule fires: a share for error rates (0.2 is 20 %), a number of violations."""
    minutes: int | None = Field(default=None, ge=1, le=KEPT_MINUTES)
    """How far back it looks."""
    severity: Severity | None = None
    disables_flag: bool | None = None
    """Whether the flag goes off while it fires."""
    enabled: bool = True
    """false: as if there were no such rule."""


Tunings = Mapping[str, Tuning]
_SHARES = ("ERROR_RATE_CRITICAL", "ERROR_RATE_WARNING")


def tuned(tunings: Tunings) -> dict[str, Rule]:
    """The rules that differ. Raises InvalidInput."""
    return {name: _tuned(RULES[name], tuning) for name, tuning in tunings.items()}


def parse(data: object) -> dict[str, Tuning]:
    """Check `{RULE: {threshold: …}}`. Raises InvalidInput that names each wrong field."""
    if not isinstance(data, Mapping) or not data:
        raise InvalidInput(reason="rules are written as RULE: {threshold: …, minutes: …}")
    found: dict[str, Tuning] = {}
    for name, fields in data.items():
        if name not in RULES:
            raise InvalidInput(reason=f"no rule {name} can be set; these can: {', '.join(RULES)}")
        try:
            tuning = fields if isinstance(fields, Tuning) else Tuning.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, (name, *first["loc"])))
            raise InvalidInput(
                reason=f"the rules are not valid: {place}: {told(Tuning, first)}"
            ) from error
        _refuse_what_it_has_not(RULES[name], tuning)
        found[name] = tuning
    return found


def read(path: Path) -> dict[str, Tuning]:
    """Read rules from a YAML or JSON file. Raises InvalidInput."""
    try:
        return parse(strict_yaml.load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeError) as error:
        raise InvalidInput(reason=f"cannot read rules {path}: {error}") from error
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise InvalidInput(reason=f"{path} is neither YAML nor JSON: {problem}") from error


def _refuse_what_it_has_not(rule: Rule, tuning: Tuning) -> None:
    for name in ("threshold", "minutes"):
        if getattr(tuning, name) is not None and getattr(rule, name) is None:
            raise InvalidInput(reason=f"{rule.name} has no {name} that can be set")
    if rule.name in _SHARES and tuning.threshold is not None and tuning.threshold >= 1:
        raise InvalidInput(reason=f"{rule.name}: a threshold is a share; 0.1 means 10 %")


def _tuned(rule: Rule, tuning: Tuning) -> Rule:
    changes: dict[str, Any] = {
        name: value
        for name, value in tuning.model_dump(exclude={"enabled"}).items()
        if value is not None
    }
    if not tuning.enabled:
        changes["judge"] = _silent
    elif rule.judging is not None and rule.threshold is not None and rule.minutes is not None:
        threshold = rule.threshold if tuning.threshold is None else tuning.threshold
        changes["judge"] = rule.judging(threshold, tuning.minutes or rule.minutes)
    return replace(rule, **changes)


def _silent(_watched: Watched) -> Finding:
    return NO_DATA
