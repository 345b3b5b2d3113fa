"""Typos: slips of the fingers in some of the words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from string import ascii_lowercase
from typing import ClassVar, Literal

from pydantic import Field

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.perturbations.keyboard import NEIGHBOURS
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.share import share_of
from crosscut_trainables.perturbations.text_perturbation import TextPerturbation
from crosscut_trainables.perturbations.written_text import Rewritten


class Typos(TextPerturbation):
    """One typo in some words of every caption; which words and which typo is drawn evenly.

    The kinds are those of Pruthi et al., "Combating Adversarial Misspellings with Robust Word Recognition", ACL
    2019 (swap, drop, add, keyboard), and a letter that is struck twice. Only letters slip: numbers and
    punctuation marks stay, and so do words of one letter under `swap` and `delete`. `mixed` draws a kind for
    each word among those that the word can have.

    | severity | share of the caption's words |
    |----------|------------------------------|
    | 1        | 0.1                          |
    | 2        | 0.2                          |
    | 3        | 0.3                          |
    | 4        | 0.45                         |
    | 5        | 0.6                          |

    The share is exact on average over captions; where fewer words can have the typo, all of these get it. The
    table is ours: studies differ.
    """

    name: Literal["typos"] = "typos"
    summary: ClassVar[str] = "character typos of five kinds in a share of the words (Pruthi et al. 2019)"
    strengths: ClassVar[Strengths] = (0.1, 0.2, 0.3, 0.45, 0.6)
    measure: ClassVar[str] = "share of a caption's words that get a typo"

    kind: Literal["swap", "delete", "insert", "replace", "repeat", "mixed"] = Field(
        "mixed",
        description="The typo: swap (two neighbouring letters), delete (a letter), insert (any letter), replace "
        "(by a neighbour on a QWERTY keyboard), repeat (a letter), or mixed (any of these, word by word).",
    )

    def rewritten(self, words: Sequence[str], draws: Draws) -> Rewritten:
        kinds = tuple(KINDS) if self.kind == "mixed" else (self.kind,)
        possible = [[kind for kind in kinds if outcomes(kind, word)] for word in words]
        able = [place for place, found in enumerate(possible) if found]
        count = min(share_of(self.strength, len(words), draws), len(able))
        changed = list(words)
        for place in draws.shuffled(able)[:count]:
            changed[place] = draws.pick(outcomes(draws.pick(possible[place]), words[place]))
        return [(word, place) for place, word in enumerate(changed)]


@lru_cache(maxsize=2**16)
def outcomes(kind: str, word: str) -> tuple[str, ...]:
    """What a typo of this kind can make of a word, once for every way to get there; empty where it cannot be."""
    return tuple(KINDS[kind](word))


def _swapped(word: str) -> list[str]:
    return [
        word[:i] + b + a + word[i + 2 :]
        for i, (a, b) in enumerate(pairwise(word))
        if a.isalpha() and b.isalpha() and a != b
    ]


def _deleted(word: str) -> list[str]:
    letters = _letters(word)
    return [word[:i] + word[i + 1 :] for i in letters] if len(letters) > 1 else []


def _inserted(word: str) -> list[str]:
    """Beside a letter; the same letter as beside it would be a repeat."""
    letters = _letters(word)
    gaps = sorted({*letters, *(i + 1 for i in letters)})
    return [
        word[:i] + letter + word[i:]
        for i in gaps
        for letter in ascii_lowercase
        if letter not in word[max(i - 1, 0) : i + 1]
    ]


def _replaced(word: str) -> list[str]:
    return [
        word[:i] + neighbour + word[i + 1 :]
        for i, letter in enumerate(word)
        for neighbour in NEIGHBOURS.get(letter, "")
    ]


def _repeated(word: str) -> list[str]:
    return [word[: i + 1] + word[i:] for i in _letters(word)]


def _letters(word: str) -> list[int]:
    return [i for i, letter in enumerate(word) if letter.isalpha()]


KINDS: dict[str, Callable[[str], list[str]]] = {
    "swap": _swapped,
    "delete": _deleted,
    "insert": _inserted,
    "replace": _replaced,
    "repeat": _repeated,
}
