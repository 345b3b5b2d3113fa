"""The base of every constraint: a term of the loss that acts on a backbone's attention."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from crosscut_trainables.component import Component

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from crosscut_trainables.constraints.pairs import MatchedPairs


class Constraint(Component):
    """What attention must satisfy; plugs into every backbone that exposes its attention."""

    name: ClassVar[str]
    weight: float = Field(1.0, ge=0, le=1000, description="λ, the term's weight in the loss, [0, 1000].")

    @abstractmethod
    def loss(self, pairs: MatchedPairs, generator: torch.Generator) -> Tensor:
        """The term, without its weight, summed over `pairs`.

        `generator` (on the CPU) is where random choices come from. It stands at the same place on every
        worker, so a draw must not depend on which pairs the worker has.
        """
