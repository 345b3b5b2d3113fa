"""The base of all towers: what two encoders read of a data set, and what makes their modules."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import nn

from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split
from crosscut_trainables.data.vocabulary import Lexicon
from crosscut_trainables.domain import split_of


class Towers(ABC):
    """The image encoder and the text encoder of a run."""

    encoder_rate: float = 1.0
    """Learning rate of what lies inside an encoder that was trained before, as a share of the run's."""
    learns: bool = True
    """Whether anything of the model is learnt, be it behind the encoders."""
    scale: float | None = None
    """Where the loss's learnt scale τ⁻¹ starts; None: where the loss says."""
    notes: tuple[str, ...] = ()
    """What a reader of the run's result should know of how they came about."""

    def __init__(
        self,
        config: RetrievalConfig,
        width: int,
        vocabulary: Lexicon,
        splits: dict[str, Split] | None = None,
    ) -> None:
        self.config, self.width, self.vocabulary = config, width, vocabulary
        self.splits: dict[str, Split] = {} if splits is None else splits
        """Splits as the encoders see them, as far as they were asked for."""

    @abstractmethod
    def view(self, split: Split) -> Split:
        """A split as the encoders see it."""

    def split(self, name: str) -> Split:
        """A split of the run's data, or a domain of `evaluation.on`, as the encoders see it."""
        if name not in self.splits:
            self.splits[name] = self.view(split_of(self.config, name))
        return self.splits[name]

    def prepared(self, name: str) -> PreparedSplit:
        """The same, with its captions as what the text encoder reads."""
        return PreparedSplit.of(self.split(name), self.vocabulary)

    @abstractmethod
    def image_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        """What makes `Fragments` of what `prepared` has of images, as `ImageEncoder.module` does."""

    @abstractmethod
    def text_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        """What makes `Fragments` of what `prepared` has of captions, as `TextEncoder.module` does."""
