"""Towers that are trained from scratch, together and by the run itself."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split
from crosscut_trainables.data.vocabulary import Vocabulary
from crosscut_trainables.subwords import Subwords, read
from crosscut_trainables.towers.towers import Towers
from crosscut_trainables.word_vectors import read_word_vectors


class ScratchTowers(Towers):
    """The encoders that `encoder` names. Their vocabulary is that of the training captions, or of a file; or they
    read the pieces of a tokenizer."""

    vocabulary: Vocabulary | Subwords

    def __init__(self, config: RetrievalConfig) -> None:
        encoder = config.encoder
        if encoder.subwords is not None:
            super().__init__(config, encoder.width, read(encoder.subwords))
            return
        captions = config.data.load("train").captions
        if encoder.vocabulary is None:
            vocabulary = Vocabulary.build(captions, encoder.min_count)
        else:
            vocabulary = Vocabulary.read(Path(encoder.vocabulary))
        super().__init__(config, encoder.width, vocabulary)
        if unseen := vocabulary.unseen(captions):
            self.notes = (
                f"{unseen} of the {len(vocabulary.words)} words of its vocabulary are in no training caption, so "
                "the vocabulary was made of other captions as well",
            )

    def view(self, split: Split) -> Split:
        seen = self.config.image_encoder.view(split)
        return self.vocabulary.view(seen) if isinstance(self.vocabulary, Subwords) else seen

    def image_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        _, places, features = self.split("train").regions.shape
        return self.config.image_encoder.module(features, places, self.width, pooling, generator)

    def text_module(self, pooling: str, generator: torch.Generator) -> nn.Module:
        encoder = self.config.encoder
        module = encoder.text.module(
            len(self.vocabulary), encoder.word_width, self.width, pooling, encoder.dropout, generator
        )
        if encoder.word_vectors is not None:
            assert isinstance(self.vocabulary, Vocabulary)
            _start_from(Path(encoder.word_vectors), self.vocabulary, module)
        return module


def _start_from(path: Path, vocabulary: Vocabulary, module: nn.Module) -> None:
    """Begin with the word vectors of a file."""
    embed = module.embed
    assert isinstance(embed, nn.Embedding)
    vectors = read_word_vectors(path, vocabulary.words, embed.weight.shape[1])
    with torch.no_grad():
        for word, vector in vectors.items():
            embed.weight[vocabulary.ids[word]] = torch.from_numpy(vector)
