"""The words a text encoder knows, and their numbers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

PAD, START, END, UNKNOWN = range(4)
MARKS = ("<pad>", "<start>", "<end>", "<unk>")
"""The marks with the first four ids, as in the vocabularies of the region-word family."""


class Lexicon(Protocol):
    """What makes numbers of a text's words, or of the pieces that a tokenizer cuts them into."""

    @property
    def marks(self) -> tuple[int, int]:
        """How many marks stand before the words of a text, and after them."""
        ...

    @property
    def pad(self) -> int:
        """Id of what fills up a text; a mask says where it does."""
        ...

    @property
    def unknown(self) -> int | None:
        """Id of a word that is not known; None where there is none."""
        ...

    @property
    def known(self) -> NDArray[np.int64]:
        """Ids of all that is known and no mark, ascending."""
        ...

    def __len__(self) -> int:
        """Number of ids, marks included."""
        ...

    def encode(self, words: Sequence[str]) -> list[int]:
        """Ids of a text, marks included."""
        ...

    def marked(self, ids: Sequence[int]) -> list[int]:
        """Ids of words between the marks of a text."""
        ...

    def unknown_share(self, captions: Iterable[Sequence[str]]) -> float | None:
        """Share of the captions' words that are not known, 0 to 1; None where none can be."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """Words and their ids. Ids 0 to 3 are padding, start, end and unknown word.

    >>> vocabulary = Vocabulary.build([["a", "seven"], ["a", "three"]])
    >>> vocabulary.encode(["a", "nine"])
    [1, 4, 3, 2]
    """

    marks: ClassVar[tuple[int, int]] = (1, 1)
    pad: ClassVar[int] = PAD
    unknown: ClassVar[int] = UNKNOWN
    words: tuple[str, ...]
    """The known words in order of their ids, from 4."""
    ids: dict[str, int] = field(init=False, repr=False, compare=False)
    """word → id, without the marks: a caption in which `<pad>` is written has an unknown word there."""

    def __post_init__(self) -> None:
        ids = {word: i for i, word in enumerate(self.words, start=len(MARKS))}
        if len(ids) < len(self.words):
            twice = next(word for word, count in Counter(self.words).items() if count > 1)
            raise ValueError(f"the vocabulary has the word {twice!r} more than once")
        object.__setattr__(self, "ids", ids)

    @classmethod
    def build(cls, captions: Iterable[Sequence[str]], min_count: int = 1) -> Vocabulary:
        """The words that occur at least `min_count` times in `captions`, in alphabetical order.

        Give it the training captions alone: a vocabulary that has seen dev or test captions leaks.
        """
        counts = Counter(word for caption in captions for word in caption)
        return cls(tuple(sorted(w for w, count in counts.items() if count >= min_count and w not in MARKS)))

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """The vocabulary in a JSON file of the region-word family: `word2idx`, `idx2word` and `idx`, the next id.

        Raises:
            ValueError: it is no such file: the first four ids are other marks, or ids are missing or named twice.
        """
        try:
            ids: dict[str, Any] = json.loads(path.read_bytes())["word2idx"]
            by_id = {int(number): word for word, number in ids.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: found no JSON with `word2idx`, words and their ids ({error})"
            ) from error
        if sorted(by_id) != list(range(len(ids))):
            raise ValueError(
                f"{path}: found ids that are missing or stand for two words, expected 0, 1, 2, …"
            )
        marks = tuple(by_id[number] for number in range(min(len(MARKS), len(by_id))))
        if marks != MARKS:
            raise ValueError(
                f"{path}: found {', '.join(marks)} as the first words, expected {', '.join(MARKS)}"
            )
        return cls(tuple(by_id[number] for number in range(len(MARKS), len(by_id))))

    def write(self, path: Path) -> None:
        """Write the JSON file that `read` reads, and the published code as well."""
        words = (*MARKS, *self.words)
        plain = {
            "word2idx": {word: number for number, word in enumerate(words)},
            "idx2word": {str(number): word for number, word in enumerate(words)},
            "idx": len(words),
        }
        path.write_text(json.dumps(plain, ensure_ascii=False) + "\n", encoding="utf-8")

    def unseen(self, captions: Iterable[Sequence[str]]) -> int:
        """How many of its words no caption of these has."""
        return len(set(self.words).difference(*captions))

    @property
    def known(self) -> NDArray[np.int64]:
        """Ids of the words, ascending."""
        return np.arange(len(MARKS), len(self))

    @property
    def content(self) -> str:
        """Hexadecimal SHA-256 of its words."""
        return sha256("\n".join(self.words).encode()).hexdigest()

    def __len__(self) -> int:
        """Number of ids, marks included: the rows of an embedding."""
        return len(MARKS) + len(self.words)

    def encode(self, words: Sequence[str]) -> list[int]:
        """Ids of a caption, between a start and an end mark; a word that is not known is 3."""
        return self.marked([self.ids.get(word, UNKNOWN) for word in words])

    def marked(self, ids: Sequence[int]) -> list[int]:
        """Ids of words between a start and an end mark."""
        return [START, *ids, END]

    def unknown_share(self, captions: Iterable[Sequence[str]]) -> float:
        """Share of the captions' words that are not known, 0 to 1; 0 where there are no words."""
        known = [word in self.ids for caption in captions for word in caption]
        return 1 - sum(known) / len(known) if known else 0.0
