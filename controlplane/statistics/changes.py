"""Evidence against a rate that may turn bad at any time, however long it was good before.

Counted from the beginning, a canary that fails in 10 % of executions after a day without a failure
looks fine for another day. So the evidence is counted anew from later windows on, too, and the
e-processes are averaged with weights fixed beforehand: 3/4 for the whole wave, 1/4 · 1/(s(s+1))
for what happened from the start of window s = 1, 2, … on. Before its start each of them stands at
1; a weighted mean of e-processes is one (mixtures over change points: Shin, Ramdas & Rinaldo 2023),
so the promise of Ville's inequality holds for the mean, at every look at once.
"""

from collections.abc import Iterable
from math import exp, log

_WHOLE, _LATER = log(0.75), log(0.25)


def log_e_turned(whole: float, turned: Iterable[tuple[int, float]]) -> float:
    """Return ln E of the mean of e-processes.

    `whole`: ln E of the whole; `turned`: (s, ln E counted from the start of window s), s >= 1.
    Those left out count as 0, those to come are left out: either only makes it smaller.
    """
    logs = [_WHOLE + whole]
    logs += [_LATER - log(number * (number + 1)) + one for number, one in turned]
    most = max(logs)
    if most == -float("inf"):
        return most
    return most + log(sum(exp(one - most) for one in logs))
