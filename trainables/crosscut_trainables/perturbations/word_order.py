"""Word order: words change places with words near them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.text_perturbation import TextPerturbation
from crosscut_trainables.perturbations.written_text import Rewritten


class WordOrder(TextPerturbation):
    """Every caption is cut into windows of neighbouring words, and the words of each are shuffled.

    | severity | words of a window |
    |----------|-------------------|
    | 1        | 2                 |
    | 2        | 3                 |
    | 3        | 4                 |
    | 4        | 6                 |
    | 5        | whole caption     |

    The first window starts at random, and may therefore be shorter, as the last may be; a shuffle may leave all
    words where they are. A caption no longer than a window is one window. The table is ours.
    """

    name: Literal["word-order"] = "word-order"
    summary: ClassVar[str] = "words shuffled within windows, at most the whole caption"
    strengths: ClassVar[Strengths] = (2, 3, 4, 6, math.inf)
    measure: ClassVar[str] = "words of a window whose words are shuffled"

    def rewritten(self, words: Sequence[str], draws: Draws) -> Rewritten:
        size = int(min(self.strength, len(words)))
        first = 0 if size == len(words) else draws.below(size) - size + 1
        order: list[int] = []
        for start in range(first, len(words), size):
            order.extend(draws.shuffled(range(max(start, 0), min(start + size, len(words)))))
        return [(words[place], place) for place in order]
