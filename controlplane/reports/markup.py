"""HTML that cannot be broken out of: text is escaped unless it was made here."""

import unicodedata
from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *content: Markup | str, **attributes: str) -> Markup:
    """An element; attributes of empty text are left out, `class_` is `class`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"'
        for key, value in attributes.items()
        if value
    )
    return Markup(f"<{name}{given}>{joined(*content)}</{name}>")


def joined(*content: Markup | str) -> Markup:
    """One behind the other."""
    return Markup("".join(one if isinstance(one, Markup) else _escaped(one) for one in content))


def _escaped(text: str) -> str:
    """Without characters that cannot be seen, or that show others otherwise than they stand."""
    seen = "".join("�" if unicodedata.category(c)[0] == "C" and c != "\n" else c for c in text)
    return escape(seen, quote=True)
