"""The vectors of whole images and whole texts of a split, and how they lie to each other."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from crosscut_trainables.batches import PreparedSplit
from crosscut_trainables.embedding_geometry import pair_geometry, uniformity
from crosscut_trainables.evaluation import QueryValues
from crosscut_trainables.fragments import l2norm
from crosscut_trainables.measured import Measured
from crosscut_trainables.model import RetrievalModel
from crosscut_trainables.positive_ranks import by_image
from crosscut_trainables.similarity import CAPTIONS, encode_images, encode_texts

Vectors = NDArray[np.float32]


@torch.no_grad()
def whole_vectors(model: RetrievalModel, split: PreparedSplit, device: str) -> tuple[Vectors, Vectors]:
    """(images, d) and (captions, d) the summaries of images and captions, of length 1."""
    images = encode_images(model, split, torch.arange(len(split.present)), device).summary
    by_length = torch.argsort(split.lengths, stable=True)
    parts = [encode_texts(model, split, block, device).summary for block in by_length.split(CAPTIONS)]
    texts = torch.empty((len(by_length), images.shape[1]))
    texts[by_length] = torch.cat(parts).float().cpu()
    # What was computed in half precision is not of length 1 yet.
    return l2norm(images.float()).cpu().numpy(), l2norm(texts).numpy()


def geometry(name: str, images: Vectors, texts: Vectors, image_of: NDArray[np.int32]) -> Measured:
    """Alignment and mean distances by caption, and the uniformity of either side, of the split `name`.

    `images` (images, d) and `texts` (captions, d) of length 1; `image_of` (captions,). Numbers are as they are,
    not in percent. What all captions lack, such as other images, has no metric.
    """
    found = Measured(
        {
            f"{name}/{side}_uniformity": uniformity(x)
            for side, x in (("i2t", images), ("t2i", texts))
            if len(x) > 1
        }
    )
    _, own = by_image(image_of, len(images))
    pairs = pair_geometry(texts, images, own)
    for part, values in (
        ("alignment", pairs.alignment),
        ("positive_distance", pairs.positive),
        ("negative_distance", pairs.negative),
    ):
        if not np.isnan(values).any():
            full = f"{name}/t2i_{part}"
            queries = QueryValues(values.astype(np.float32), image_of)
            found |= Measured({full: float(values.mean())}, values={full: queries})
    return found
