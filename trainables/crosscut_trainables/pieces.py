"""The pieces that a tokenizer of transformers cuts captions into, and their numbers."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Split

BLOCK = 10_000
"""Captions that are cut at once."""
MARKS = ("bos_token_id", "eos_token_id", "sep_token_id", "pad_token_id", "cls_token_id", "mask_token_id")
"""What transformers calls the ids of marks."""
Cut = tuple[tuple[str, ...], tuple[int, ...]]
"""The pieces of a caption, and for each the index of the word that it belongs to."""


class Pieces:
    """A tokenizer as a vocabulary: it cuts captions into pieces, and numbers them."""

    def __init__(self, tokenizer: Any, positions: int | None) -> None:
        """The text encoder has `positions` places for a text, marks included; None: for any.

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
        self.most: int | None = None
        """Pieces that a caption keeps at most: what the encoder has places for, marks not counted."""
        if positions is not None:
            self.most = min(positions, tokenizer.model_max_length) - sum(self.marks)

    @property
    def marks(self) -> tuple[int, int]:
        """How many marks stand before the pieces of a text, and after them."""
        return len(self._before), len(self._after)

    @property
    def pad(self) -> int:
        """Id of what fills up a text; 0 where the tokenizer has no such mark."""
        return int(self.tokenizer.pad_token_id or 0)

    @cached_property
    def unknown(self) -> int | None:
        """Id of the piece in place of what is not known; None where there is none but a mark with another task."""
        found: int | None = self.tokenizer.unk_token_id
        if found is None and self.tokenizer.is_fast:
            # A file of tokenizers alone has it in its model only.
            model = json.loads(self.tokenizer.backend_tokenizer.to_str())["model"]
            found = model.get("unk_id", self.tokenizer.get_vocab().get(model.get("unk_token")))
        return None if found in {getattr(self.tokenizer, mark) for mark in MARKS} else found

    @cached_property
    def known(self) -> NDArray[np.int64]:
        """Ids of the pieces that are neither marks nor the unknown one, ascending."""
        added = self.tokenizer.added_tokens_decoder.items()
        marks = {*self.tokenizer.all_special_ids, *(number for number, token in added if token.special)}
        ids = set(self.tokenizer.get_vocab().values()) - marks - {*self._before, *self._after, self.unknown}
        return np.array(sorted(ids), np.int64)

    def __len__(self) -> int:
        """Number of ids, marks included."""
        return len(self.tokenizer)

    def encode(self, pieces: Sequence[str]) -> list[int]:
        """Ids of a text that is cut into pieces, marks included."""
        return self.marked(self.tokenizer.convert_tokens_to_ids(list(pieces)))

    def marked(self, ids: Sequence[int]) -> list[int]:
        """Ids of pieces between the tokenizer's own marks."""
        return [*self._before, *ids, *self._after]

    def unknown_share(self, captions: Iterable[Sequence[str]]) -> float | None:
        """Share of the captions' pieces that are the unknown one, 0 to 1; None where there is no such piece."""
        if self.unknown is None:
            return None
        name = self.tokenizer.convert_ids_to_tokens(self.unknown)
        unknown = [piece == name for caption in captions for piece in caption]
        return sum(unknown) / len(unknown) if unknown else 0.0

    def view(self, split: Split) -> Split:
        """The split with captions of pieces, each of which refers to what its word refers to.

        Captions are cut as they are written, where that is known and no words refer to places.
        """
        captions = split.captions
        if split.texts is not None and split.referents is None:
            captions = [text.split() for text in split.texts]
        cuts = self.pieces_of(captions)
        referents = split.referents
        if referents is not None:
            referents = [
                tuple(places[word] for word in owners)
                for places, (_, owners) in zip(referents, cuts, strict=True)
            ]
        return replace(split, captions=[pieces for pieces, _ in cuts], referents=referents)

    def pieces_of(self, captions: Sequence[Sequence[str]]) -> list[Cut]:
        """The pieces of each caption and the words that they belong to, cut off after `most` pieces.

        A caption is what its words give with a space between them, as the tokenizer cuts that.
        """
        blocks = (captions[start : start + BLOCK] for start in range(0, len(captions), BLOCK))
        return [cut for block in blocks for cut in self._cut(block)]

    def _cut(self, captions: Sequence[Sequence[str]]) -> list[Cut]:
        texts = [" ".join(words) for words in captions]
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
