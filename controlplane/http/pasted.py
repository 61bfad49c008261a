"""Tokens that somebody pasted, however they are written: what the log has, it has for ever."""

import json
import re
from urllib.parse import unquote_plus

from controlplane.errors import InvalidInput
from controlplane.tokens import without_tokens

_ESCAPED = re.compile(r"\\u00([2-7][0-9A-Fa-f])")
"""What JSON may write for each character that a token has."""


def refuse_tokens(query: str, body: bytes) -> None:
    """Raise InvalidInput where a token is in what was sent, as whoever reads it will read it."""
    text = body.decode(json.detect_encoding(body), errors="replace")
    if "\\u00" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    for sent in (query, unquote_plus(query), text):
        refuse_token(sent)


def refuse_token(text: str) -> None:
    """The same of one text."""
    if without_tokens(text) != text:
        raise InvalidInput(
            reason="there is a token in what was sent; if it is a real one, revoke it"
        )
