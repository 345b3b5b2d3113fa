"""The words of a text, in lower case, as the field cuts them. `TOKENIZERS` lists the ways by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, cast

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
LETTERS = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

Tokenizer = Literal["treebank", "letters"]


def treebank(text: str) -> tuple[str, ...]:
    """Words and punctuation after the Penn Treebank, as NLTK's `word_tokenize` has them: `isn't` is `is`, `n't`.

    The region-word family reads captions so. [reading] NLTK first finds sentences with a model that is a download
    of its own; here a sentence ends at `.`, `!` or `?` before a space.
    """
    cut = _treebank()
    return tuple(word for sentence in SENTENCE_END.split(text.lower().strip()) for word in cut(sentence))


def letters(text: str) -> tuple[str, ...]:
    """Runs of letters and digits, with apostrophes inside; punctuation goes."""
    return tuple(LETTERS.findall(text.lower()))


@lru_cache(maxsize=1)
def _treebank() -> Callable[[str], list[str]]:
    # NLTK takes seconds to import.
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return cast("Callable[[str], list[str]]", NLTKWordTokenizer().tokenize)


TOKENIZERS: dict[str, Callable[[str], tuple[str, ...]]] = {"treebank": treebank, "letters": letters}
"""Name → from a text to its words."""
