"""The best of the first metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from crosscut.choosing.front import Front
from crosscut.choosing.rule import Rule
from crosscut.trial import Objective


class Best(Rule):
    """The trial that is best on the first metric, of equals on the second, and so on."""

    summary: ClassVar[str] = "the trial that is best on the first metric"

    rule: Literal["best"] = "best"
    """Which trial the seeds take their values from."""

    def pick(self, front: Front) -> int:
        return front.first(front.gains)

    def words(self, objectives: Sequence[Objective]) -> str:
        return f"with the best {objectives[0].metric}"
