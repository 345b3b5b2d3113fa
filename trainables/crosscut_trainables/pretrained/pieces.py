"""The pieces of words that a pretrained model reads, and their numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

Cut = tuple[tuple[str, ...], tuple[int, ...]]
"""The pieces of a caption, and for each the index of the word that it belongs to."""


class Pieces:
    """A model's own tokenizer as a vocabulary: it cuts captions into pieces, and numbers them."""

    def __init__(self, tokenizer: Any, positions: int) -> None:
        """The model has `positions` places for a text, marks included.

        Raises:
            ValueError: marks stand within a text instead of around it.
        """
        self.tokenizer = tokenizer
        self._counts: dict[str, int] = {}
        inner = tokenizer("a", add_special_tokens=False)["input_ids"]
        outer = tokenizer("a")["input_ids"]
        starts = [i for i in range(len(outer)) if outer[i : i + len(inner)] == inner]
        if not inner or not starts:
            raise ValueError(f"the tokenizer reads 'a' as {outer}, expected {inner} with marks around it")
        self._before: list[int] = outer[: starts[0]]
        self._after: list[int] = outer[starts[0] + len(inner) :]
        self.most = min(positions, tokenizer.model_max_length) - sum(self.marks)
        """Pieces that a caption keeps at most: what the model has places for, marks not counted."""

    @property
    def marks(self) -> tuple[int, int]:
        """How many marks stand before the pieces of a text, and after them."""
        return len(self._before), len(self._after)

    @property
    def pad(self) -> int:
        """Id of what fills up a text; 0 where the tokenizer has no such mark."""
        return int(self.tokenizer.pad_token_id or 0)

    def __len__(self) -> int:
        """Number of ids, marks included."""
        return len(self.tokenizer)

    def encode(self, pieces: Sequence[str]) -> list[int]:
        """Ids of a text that is cut into pieces, with the model's own marks around it."""
        return [*self._before, *self.tokenizer.convert_tokens_to_ids(list(pieces)), *self._after]

    def pieces_of(self, captions: Sequence[Sequence[str]]) -> list[Cut]:
        """The pieces of each caption and the words that they belong to, cut off after `most` pieces.

        A caption is what its words give with a space between them, as the tokenizer cuts that.
        """
        texts = [" ".join(words) for words in captions]
        if not texts:
            return []
        fast: bool = self.tokenizer.is_fast
        found = self.tokenizer(
            texts,
            add_special_tokens=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            return_offsets_mapping=fast,
            verbose=False,
        )
        cuts: list[Cut] = []
        for number, (words, ids) in enumerate(zip(captions, found["input_ids"], strict=True)):
            if not words:  # of which some tokenizers make a piece that belongs to no word
                cuts.append(((), ()))
                continue
            owners = _by_place(words, found["offset_mapping"][number]) if fast else self._by_count(words, ids)
            pieces = self.tokenizer.convert_ids_to_tokens(ids[: self.most])
            cuts.append((tuple(pieces), tuple(owners[: self.most])))
        return cuts

    def _by_count(self, words: Sequence[str], ids: Sequence[int]) -> list[int]:
        """The word of each piece, from how many pieces each word has, by itself or else after those before it.

        For tokenizers that do not say from where in a text a piece is.
        """
        ends = list(accumulate(self._count(word) for word in words))
        if ends[-1] != len(ids):
            ends = [self._count(" ".join(words[: k + 1])) for k in range(len(words))]
        return [min(bisect_right(ends, place), len(words) - 1) for place in range(len(ids))]

    def _count(self, text: str) -> int:
        if text not in self._counts:
            self._counts[text] = len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        return self._counts[text]


def _by_place(words: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The word of each piece, from where in the text the piece is: the word that it ends in.

    A piece that is nothing but the space between two words belongs to the second.
    """
    starts = list(accumulate((len(word) + 1 for word in words), initial=0))[:-1]
    owners = []
    for start, end in offsets:
        place = max(start, end - 1)
        word = bisect_right(starts, place) - 1
        between = place >= starts[word] + len(words[word])
        owners.append(min(word + between, len(words) - 1))
    return owners
