"""The seeds of a sweep file: how often every arm is trained to the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from crosscut.errors import Problem, ProblemsError
from crosscut.sweepfile.section import Section, Whole

SEARCH_SEEDS = 1_000_000
"""Search trial i has the seed 1,000,000 + i, so final seeds stay below."""


class Seeds(Section):
    """Either every arm runs with the seeds `first` to `first + count - 1`, or with `min` seeds and then with
    further ones, up to `max`, while a declared hypothesis that concerns it is open. Equal seeds pair the arms."""

    count: Annotated[Whole, Field(ge=1)] | None = None
    """Runs of each arm. A verdict that holds for new seeds wants three at the least."""
    min: Annotated[Whole, Field(ge=2)] | None = None
    """Runs of each arm before the first look at its hypotheses."""
    max: Annotated[Whole, Field(ge=3)] | None = None
    """The most runs of an arm."""
    until: Literal["decided"] | None = None
    """`decided`: seeds are added until every declared hypothesis is settled."""
    first: Annotated[Whole, Field(ge=0)] = 0
    """The first seed."""

    @property
    def least(self) -> int:
        """Runs that every arm gets."""
        return self.count or self.min or 0

    @property
    def most(self) -> int:
        """Runs that an arm gets at the most."""
        return self.count or self.max or 0

    @model_validator(mode="after")
    def _one_way(self) -> Seeds:
        problems = list(self._problems())
        if problems:
            raise ProblemsError(problems)
        return self

    def _problems(self) -> Iterator[Problem]:
        sequential = {"min": self.min, "max": self.max, "until": self.until}
        given = [key for key, value in sequential.items() if value is not None]
        missing = [key for key, value in sequential.items() if value is None]
        if self.count is None and not given:
            yield Problem(
                ("count",), "this key is missing: runs of each arm, or min, max and until in its place"
            )
            return
        if self.count is not None and given:
            yield Problem((given[0],), "this goes with no count; give count, or min, max and until")
        elif self.count is None and missing:
            yield Problem((missing[0],), f"this key is missing beside {' and '.join(given)}")
        elif self.min is not None and self.max is not None and self.max <= self.min:
            yield Problem(("max",), f"found {self.max}, expected more than the {self.min} of min")
        last = self.first + self.most - 1
        if last >= SEARCH_SEEDS:
            text = f"the last seed is {last}, expected seeds below {SEARCH_SEEDS}: search has those above"
            many = "count" if self.count else "max"
            yield Problem(("first" if self.first >= self.most else many,), text)
