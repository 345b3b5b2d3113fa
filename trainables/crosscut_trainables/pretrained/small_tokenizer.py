"""The tokenizer of the small random models: words fall into syllables and letters, whatever the words are."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase, digits, punctuation
from typing import Any

_VOWELS = "aeiou"
_SYLLABLES = [c + v for c in ascii_lowercase if c not in _VOWELS for v in _VOWELS]
_PIECES = [*ascii_lowercase, *digits, *punctuation, *_SYLLABLES]
"""What a word can begin with; the same after ## is what it can go on with."""


@dataclass(frozen=True)
class SmallTokenizer:
    """A tokenizer with the marks that a family has, where the family has them among its ids."""

    first: tuple[str, ...]
    """Marks with the first ids."""
    last: tuple[str, ...]
    """Marks with the last ids."""
    before: tuple[str, ...]
    """Marks that stand before a text."""
    after: tuple[str, ...]
    """Marks that stand after a text."""
    pad: str
    """The mark that fills up a text."""
    unknown: str
    """The mark in place of a word with a letter that is not known."""

    @property
    def ids(self) -> dict[str, int]:
        """piece → id."""
        pieces = [*self.first, *_PIECES, *(f"##{piece}" for piece in _PIECES), *self.last]
        return {piece: number for number, piece in enumerate(pieces)}

    def build(self, positions: int) -> Any:
        """The tokenizer as transformers has them, for texts of `positions` pieces at most."""
        from tokenizers import Tokenizer
        from tokenizers.models import WordPiece
        from tokenizers.normalizers import NFKD, Lowercase, Sequence, StripAccents
        from tokenizers.pre_tokenizers import BertPreTokenizer
        from tokenizers.processors import TemplateProcessing
        from transformers.tokenization_utils_tokenizers import TokenizersBackend

        ids = self.ids
        tokenizer = Tokenizer(WordPiece(ids, unk_token=self.unknown, max_input_chars_per_word=100))
        tokenizer.normalizer = Sequence([NFKD(), StripAccents(), Lowercase()])
        tokenizer.pre_tokenizer = BertPreTokenizer()
        tokenizer.post_processor = TemplateProcessing(
            single=[*self.before, "$A", *self.after],
            special_tokens=[(mark, ids[mark]) for mark in (*self.before, *self.after)],
        )
        return TokenizersBackend(
            tokenizer_object=tokenizer,
            model_max_length=positions,
            pad_token=self.pad,
            unk_token=self.unknown,
            eos_token=self.after[-1],
            **({"bos_token": self.before[0]} if self.before else {}),
        )
