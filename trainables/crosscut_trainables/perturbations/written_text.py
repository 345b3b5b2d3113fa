"""A caption as it is written, brought in line with its changed words."""

from __future__ import annotations

from collections.abc import Sequence

Rewritten = list[tuple[str, int | None]]
"""The words of a changed caption, each with the place of the word it comes from, None for an inserted one."""

QUOTES = ("``", "''")
"""What the Penn Treebank makes of a quotation mark."""


def rewritten_text(text: str, words: Sequence[str], changed: Rewritten) -> str:
    """`text`, whose words are `words`, with the words of `changed` in place of these.

    Words that stay keep their capitals, and neighbours that stay what is between them, such as punctuation; new
    neighbours have a space between them. A changed word keeps a capital at its start. A text in which the words
    are not to be found gives way to the changed words with spaces between them.
    """
    if not words:
        return text
    spans = _spans(text, words)
    if spans is None:
        return " ".join(word for word, _ in changed)
    made = ""
    before: int | None = None
    for number, (word, origin) in enumerate(changed):
        if number == 0 and origin == 0:
            made += text[: spans[0][0]]
        elif origin is not None and before is not None and origin == before + 1:
            made += text[spans[before][1] : spans[origin][0]]
        elif number:
            made += " "
        made += word if origin is None else _surface(text[slice(*spans[origin])], words[origin], word)
        before = origin
    return made + text[spans[-1][1] :] if before == len(words) - 1 else made


def _surface(written: str, word: str, changed: str) -> str:
    """How a word is written after its change; `written` is how it was."""
    if changed == word:
        return written
    return changed[:1].upper() + changed[1:] if written[:1].isupper() else changed


def _spans(text: str, words: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where each word stands in a text, start and end; None where one is not found after the one before it."""
    lower = text.lower()
    if len(lower) != len(text):
        return None
    spans: list[tuple[int, int]] = []
    end = 0
    for word in words:
        sought = '"' if word in QUOTES and lower.find(word, end) < 0 else word
        start = lower.find(sought, end)
        if start < 0:
            return None
        end = start + len(sought)
        spans.append((start, end))
    return spans
