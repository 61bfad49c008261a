"""Where a replay stands, and what a key or the passing of time makes of it. It shows nothing."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from controlplane.cli.going_to import Prompt, number_of
from controlplane.errors import InvalidInput
from events.timestamps import MINUTE, SECOND, Timestamp

SPEEDS = (1, 10, 100)
LONGEST_SECONDS = 1.0
"""A longer gap between two events is cut to this: nobody watches nothing happen."""
SHORTEST_SECONDS = 0.02
_BY_THE_TENTH = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Stop:
    """One event, as far as finding one's way needs it."""

    position: int
    at: Timestamp
    line: str
    is_execution: bool
    is_notable: bool
    """An alert, or something that a person did."""
    by: str = ""
    """Who did it; of what a rule did, which alert it is."""

    @property
    def deed(self) -> tuple[str, Timestamp]:
        """What one command led to is recorded at once: one deed of one actor."""
        return self.by, self.at


@dataclass
class Player:
    """A place among the stops."""

    stops: Sequence[Stop]
    zero: Timestamp = 0
    """The moment that times are told from."""
    place: int = 0
    playing: bool = False
    speed: int = SPEEDS[1]
    executions: bool = True
    """Whether executions are stopped at."""
    left: bool = False
    """Whether whoever watches has left."""
    away: bool = False
    """Whether whoever watches does something else in between."""
    prompt: Prompt | None = None
    """Where to go to, while it is typed."""
    tells_keys: bool = False
    """Whether the keys are shown."""
    _ways: dict[tuple[bool, bool], list[int]] = field(default_factory=dict, init=False, repr=False)

    @property
    def stop(self) -> Stop:
        """The event that is shown."""
        return self.stops[self.place]

    def seek(self, position: int) -> None:
        """Go to the last event at or before a log position."""
        after = bisect_right(self.stops, position, key=lambda stop: stop.position)
        self.place = max(0, after - 1)

    def around(self, rows: int) -> list[int]:
        """The stops to list, by number: the present one stands a third down, where it can."""
        way = self._way(notable=False)
        before, after = bisect_left(way, self.place), bisect_right(way, self.place)
        near = [*way[max(0, before - rows) : before], self.place, *way[after : after + rows]]
        first = max(0, min(min(before, rows) - rows // 3, len(near) - rows))
        return near[first : first + rows]

    @property
    def digits(self) -> int:
        """Of a second, as times are told: what takes a moment is told apart by less."""
        longest = max(abs(stop.at - self.zero) for stop in (self.stops[0], self.stops[-1]))
        return 3 if longest < MINUTE else 1 if longest < _BY_THE_TENTH else 0

    def press(self, key: str) -> None:
        """What a key does."""
        if key in ("interrupt", "suspend"):
            self.playing, self.prompt = False, None
            self.left, self.away = key == "interrupt", key == "suspend"
        elif self.prompt is not None:
            self._type(self.prompt, key)
        elif self.tells_keys:
            self.tells_keys, self.left = False, key == "q"
        else:
            self._steer(key)

    def _type(self, prompt: Prompt, key: str) -> None:
        if key == "escape" or (key == "enter" and not prompt.text.strip()):
            self.prompt = None
        elif key == "enter":
            try:
                self._stand(number_of(prompt.text, self.stops, self.zero))
                self.prompt = None
            except InvalidInput as error:
                prompt.trouble = str(error)
        else:
            prompt.press(key)

    def _steer(self, key: str) -> None:
        match key:
            case "right":
                self._go(1)
            case "left":
                self._go(-1)
            case "shift-right" | "n":
                self._go(1, notable=True)
            case "shift-left" | "p":
                self._go(-1, notable=True)
            case "home":
                self._stand(0)
            case "end":
                self._stand(len(self.stops) - 1)
            case "space":
                at_the_end = self.place == len(self.stops) - 1
                self.place = 0 if at_the_end and not self.playing else self.place
                self.playing = not self.playing and self._next(1) is not None
            case "1" | "2" | "3":
                self.speed = SPEEDS[int(key) - 1]
            case "e":
                self.executions = not self.executions
                self.playing = self.playing and self._next(1) is not None
            case "g":
                self.playing, self.prompt = False, Prompt()
            case "?":
                self.playing, self.tells_keys = False, True
            case "q":
                self.left = True
            case _:
                pass

    def _go(self, by: int, *, notable: bool = False) -> None:
        self.playing = False
        place = self._next(by, notable=notable)
        self.place = self.place if place is None else place

    def _stand(self, place: int) -> None:
        self.playing, self.place = False, place

    def _next(self, by: int, *, notable: bool = False) -> int | None:
        way = self._way(notable=notable)
        at = bisect_right(way, self.place) if by > 0 else bisect_left(way, self.place) - 1
        return way[at] if 0 <= at < len(way) else None

    def _way(self, *, notable: bool) -> list[int]:
        """The stops that are stopped at, by number. A long replay has a million.

        Of what one command led to, the first that is notable stands for all.
        """
        if (self.executions, notable) not in self._ways:
            way: list[int] = []
            for number, stop in enumerate(self.stops):
                if stop.is_execution and not self.executions:
                    continue
                if not notable or (
                    stop.is_notable and not (way and self.stops[way[-1]].deed == stop.deed)
                ):
                    way.append(number)
            self._ways[self.executions, notable] = way
        return self._ways[self.executions, notable]

    def pause_seconds(self) -> float | None:
        """How long the present event is shown while it plays; None where it does not."""
        following = self._next(1) if self.playing else None
        if following is None:
            return None
        gap = (self.stops[following].at - self.stop.at) / SECOND
        return min(max(gap / self.speed, SHORTEST_SECONDS), LONGEST_SECONDS)

    def tick(self) -> None:
        """The pause is over: on to the next event, or stand at the end."""
        following = self._next(1)
        self.place = self.place if following is None else following
        self.playing = self._next(1) is not None
