"""The seeds of a sweep file: how often every arm is trained to the end."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from crosscut.errors import Problem, ProblemsError
from crosscut.sweepfile.section import Section, Whole

SEARCH_SEEDS = 1_000_000
"""Search trial i has the seed 1,000,000 + i, so final seeds stay below."""


class Seeds(Section):
    """Every arm runs with the seeds `first` to `first + count - 1`: the same for all, so they are paired."""

    count: Annotated[Whole, Field(ge=1)]
    """Runs of each arm. A verdict that holds for new seeds wants three at the least."""
    first: Annotated[Whole, Field(ge=0)] = 0
    """The first seed."""

    @model_validator(mode="after")
    def _below_those_of_search(self) -> Seeds:
        last = self.first + self.count - 1
        if last >= SEARCH_SEEDS:
            text = f"the last seed is {last}, expected seeds below {SEARCH_SEEDS}: search has those above"
            raise ProblemsError([Problem(("first" if self.first >= self.count else "count",), text)])
        return self
