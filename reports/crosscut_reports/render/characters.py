"""Characters that XML can hold; a name from outside may have others."""

from __future__ import annotations

import re

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is outside the production Char of XML 1.0: control characters, lone surrogates, U+FFFE and U+FFFF."""


def fit(text: str) -> str:
    """The text with every character that XML does not allow replaced by U+FFFD."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
