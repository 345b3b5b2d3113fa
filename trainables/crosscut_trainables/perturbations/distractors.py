"""Distractors: phrases around a caption that say nothing about its image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.text_perturbation import TextPerturbation
from crosscut_trainables.perturbations.written_text import Rewritten

PHRASES = (
    "in this picture",
    "as one can see",
    "so to speak",
    "as shown here",
    "to put it simply",
    "in this image",
    "by the way",
    "as far as one can tell",
    "in other words",
    "if one looks at it",
)
"""Phrases that are true of any image."""


class Distractors(TextPerturbation):
    """Phrases before or after every caption, different ones as long as there are enough.

    | severity | phrases |
    |----------|---------|
    | 1        | 1       |
    | 2        | 2       |
    | 3        | 3       |
    | 4        | 4       |
    | 5        | 5       |

    The built-in phrases have three to six words, so that severity 5 adds 15 to 24 words: an encoder that cuts long
    texts may lose the end of the caption. The table is ours.
    """

    name: Literal["distractors"] = "distractors"
    summary: ClassVar[str] = "phrases before or after the caption that say nothing about the image"
    strengths: ClassVar[Strengths] = (1, 2, 3, 4, 5)
    measure: ClassVar[str] = "phrases added to a caption"

    place: Literal["before", "after", "either"] = Field(
        "either", description="Where phrases go: before the caption, after it, or either, drawn for each."
    )
    phrases: tuple[str, ...] = Field(
        (),
        description="Phrases in place of the built-in ones, each some words in lower case with spaces between "
        "them; none: the built-in ones.",
    )

    @field_validator("phrases")
    @classmethod
    def _are_words(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            if not phrase.split() or phrase != phrase.lower():
                raise ValueError(f"found {phrase!r}, expected some words in lower case")
        return phrases

    def rewritten(self, words: Sequence[str], draws: Draws) -> Rewritten:
        order = draws.shuffled(self.phrases or PHRASES)
        around: dict[bool, list[str]] = {True: [], False: []}
        for number in range(int(self.strength)):
            before = draws.chance(0.5) if self.place == "either" else self.place == "before"
            around[before].extend(order[number % len(order)].split())
        own: Rewritten = [(word, place) for place, word in enumerate(words)]
        return [(word, None) for word in around[True]] + own + [(word, None) for word in around[False]]
