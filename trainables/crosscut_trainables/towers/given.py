"""Towers that were trained before: frozen with something learnt behind them, or trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split
from crosscut_trainables.data.vocabulary import Lexicon
from crosscut_trainables.domain import fingerprint_of
from crosscut_trainables.encoders.projections import xavier
from crosscut_trainables.pooling import OWN, pooling_of
from crosscut_trainables.session import Making, Session, artifact_of
from crosscut_trainables.towers.feature_table import Unpacked, table_of_images, table_of_texts
from crosscut_trainables.towers.frozen import Frozen
from crosscut_trainables.towers.head import Head
from crosscut_trainables.towers.towers import Towers

TABLE_VERSION = 1
"""Raised whenever the same encoder gives another table than before."""


@dataclass(frozen=True)
class Given:
    """One encoder that was trained before."""

    encoder: nn.Module
    """Gives `Fragments` of the joint width, with a whole of its own."""
    identity: Mapping[str, Any]
    """What defines its weights, as plain values."""
    frozen: bool
    encodes_anew: bool
    """Whether it is shown what changes from epoch to epoch, so that a table of features would not do."""
    start: Literal["random", "identity"] | None
    """How the linear map behind it starts; None: there is none."""

    @property
    def tabled(self) -> bool:
        """Whether each image, or text, is encoded once for all runs."""
        return self.frozen and not self.encodes_anew


class GivenTowers(Towers):
    """Two encoders that were trained before.

    What is frozen encodes each split once; the table of features is kept where all runs of the sweep find it.
    """

    def __init__(
        self,
        config: RetrievalConfig,
        session: Session,
        width: int,
        vocabulary: Lexicon,
        view: Callable[[Split], Split],
        images: Given,
        texts: Given,
        splits: dict[str, Split] | None = None,
    ) -> None:
        super().__init__(config, width, vocabulary, splits)
        self._session, self._view = session, view
        self.images, self.texts = images, texts

    def view(self, split: Split) -> Split:
        return self._view(split)

    def prepared(self, name: str) -> PreparedSplit:
        plain = super().prepared(name)
        split = plain
        device = self._session.device
        if self.images.tabled:
            places = self._looks_at_places(self.config.comparison.poolings[0])
            encoder = self.images.encoder
            table = self._table(
                "image", name, self.images, places, lambda: table_of_images(encoder, plain, places, device)
            )
            split = replace(split, regions=table.numpy())
            if not places:
                one = torch.ones(len(table), 1, dtype=torch.bool)
                split = replace(split, present=one, boxes=torch.zeros(len(table), 1, 4).numpy())
        if self.texts.tabled:
            places = self._looks_at_places(self.config.comparison.poolings[1])
            encoder = self.texts.encoder
            table = self._table(
                "text", name, self.texts, places, lambda: table_of_texts(encoder, plain, places, device)
            )
            split = replace(split, ids=table, wholes=int(places))
            if not places:
                split = replace(split, lengths=torch.ones_like(split.lengths))
        return split

    def image_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        return self._module(self.images, 1, pooling, generator)

    def text_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        return self._module(self.texts, 2, pooling, generator)

    def _module(self, given: Given, mask: int, pooling: str, generator: torch.Generator) -> nn.Module:
        encoder: nn.Module = given.encoder
        if given.tabled:
            encoder = Unpacked(mask)
        elif given.frozen:
            encoder = Frozen(given.encoder)
        linear = None
        if given.start is not None:
            linear = nn.Linear(self.width, self.width)
            xavier(linear, generator)
            if given.start == "identity":
                with torch.no_grad():
                    linear.weight.copy_(torch.eye(self.width))
        return Head(encoder, linear, None if pooling == OWN else pooling_of(pooling, self.width))

    def _looks_at_places(self, pooling: str) -> bool:
        """Whether anything but the encoder's own whole is looked at."""
        return self.config.comparison.exposes_attention or pooling != OWN

    def _table(self, kind: str, name: str, given: Given, places: bool, table: Callable[[], Tensor]) -> Tensor:
        identity = {
            "version": TABLE_VERSION,
            "encoder": dict(given.identity),
            "data": fingerprint_of(self.config, name),
            "split": name,
            "places": places,
        }

        def make(making: Making) -> dict[str, Any]:
            given.encoder.to(self._session.device)
            made = table()
            given.encoder.to("cpu")
            return {"table": made}

        found: Tensor = artifact_of(self._session, f"{kind}-features", identity, make)["table"]
        return found
