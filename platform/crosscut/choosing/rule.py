"""Which trial of a front the seeds take their values from: what all rules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from crosscut.choosing.front import Front
from crosscut.errors import Problem
from crosscut.sweepfile.section import Section
from crosscut.trial import Objective


class Rule(Section):
    """One of `RULES`, and its options. Where it leaves several trials, the earliest of them is taken."""

    summary: ClassVar[str]
    """One line, for lists."""

    def pick(self, front: Front) -> int:
        """The number of the trial."""
        raise NotImplementedError

    def words(self, objectives: Sequence[Objective]) -> str:
        """The rule in words, to stand after “chosen is the trial”."""
        raise NotImplementedError

    def problems(self, objectives: Sequence[Objective]) -> list[Problem]:
        """What is wrong with its options, with keys below the rule."""
        return []
