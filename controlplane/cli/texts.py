"""Words as a terminal shows them. What comes from outside must not steer it."""

import json
import unicodedata

from rich.text import Text

from events.timestamps import Timestamp, to_iso

STYLES = {
    "PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow", "NO_DATA": "magenta",
    "ERROR": "red", "critical": "bold red", "warning": "yellow", "info": "cyan",
}  # fmt: skip


def clean(text: object) -> Text:
    """Text from outside, without markup and control characters: it must not steer a terminal."""
    return Text("".join("�" if _steers(c) else c for c in str(text)))


def _steers(character: str) -> bool:
    return unicodedata.category(character)[0] == "C"


def to_json(data: object, indent: int | None = None) -> str:
    """JSON in the letters of its language, but nothing in it that steers a terminal."""
    text = json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(json.dumps(c)[1:-1] if c != "\n" and _steers(c) else c for c in text)


def when(timestamp: Timestamp | None) -> str:
    """A moment to the second, in UTC; JSON has the microseconds."""
    return to_iso(timestamp)[:19] + "Z" if timestamp else ""


def styled(word: str) -> Text:
    """A verdict or severity in its colour."""
    return Text(word, style=STYLES.get(word, ""))


def shown(value: object) -> str:
    """A fact as people read it."""
    if value is None or value in ("", []):
        return "–"
    if isinstance(value, str):
        return value
    return f"{value:g}" if isinstance(value, float) else to_json(value)


def relative(us: int, digits: int = 0) -> str:
    """`+1:02:03`, or `-0:05:00`: by the second, or with so many digits of it."""
    parts = abs(us) // 10 ** (6 - digits)
    seconds, fraction = divmod(parts, 10**digits)
    sign = "-" if us < 0 and parts else "+"
    part = f".{fraction:0{digits}}" if digits else ""
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{part}"


def short(text: str, flag: str) -> str:
    """What is said of a flag where everything is of it: without its name in front."""
    for prefix in (f"{flag}: ", f"{flag}/", f"{flag} ", f"{flag}-"):
        if flag and text.startswith(prefix):
            return text.removeprefix(prefix)
    return text
