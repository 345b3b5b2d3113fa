"""Synonyms: some words give way to others that mean the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.perturbations.perturbation import Strengths
from crosscut_trainables.perturbations.share import share_of
from crosscut_trainables.perturbations.synonym_table import read_synonyms
from crosscut_trainables.perturbations.text_perturbation import TextPerturbation
from crosscut_trainables.perturbations.written_text import Rewritten
from crosscut_trainables.word_vectors import file_hash


class Synonyms(TextPerturbation):
    """Words that a table has give way to one of their synonyms there, drawn evenly.

    | severity | share of the caption's words that the table has |
    |----------|-------------------------------------------------|
    | 1        | 0.2                                             |
    | 2        | 0.4                                             |
    | 3        | 0.6                                             |
    | 4        | 0.8                                             |
    | 5        | 1                                               |

    The share is exact on average over captions. Words are looked up as they stand: plurals need lines of their
    own. Each word of a synonym of several words has the referents of the word that they replace. The table of
    severities is ours.
    """

    name: Literal["synonyms"] = "synonyms"
    summary: ClassVar[str] = "a share of the words replaced by synonyms from a table that is given"
    strengths: ClassVar[Strengths] = (0.2, 0.4, 0.6, 0.8, 1.0)
    measure: ClassVar[str] = "share of a caption's words with a synonym that are replaced"

    table: str = Field(
        description="File of synonyms, a line `word<TAB>synonym[<TAB>synonym…]` for each word; only says where it "
        "lies: the file's content is what counts."
    )

    @field_validator("table")
    @classmethod
    def _a_table(cls, path: str) -> str:
        file = Path(path).expanduser().absolute()
        read_synonyms(file)
        return str(file)

    def contents(self) -> dict[str, str]:
        return {"table": file_hash(Path(self.table))}

    def rewritten(self, words: Sequence[str], draws: Draws) -> Rewritten:
        table = read_synonyms(Path(self.table))
        known = [place for place, word in enumerate(words) if word in table]
        count = share_of(self.strength, len(known), draws)
        chosen = {place: draws.pick(table[words[place]]) for place in draws.shuffled(known)[:count]}
        return [(new, place) for place, word in enumerate(words) for new in chosen.get(place, (word,))]
