"""Fragments and data sets that are small enough for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import numpy as np
import pytest
import torch

from crosscut_trainables.backbones import by_length, relevance
from crosscut_trainables.data.split import Dataset, Split, SplitName
from crosscut_trainables.fragments import Fragments, l2norm

MakeFragments = Callable[..., Fragments]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Models of a test are so small that threads wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(
    params=[(2**18, 32, 2**18), (40, 32, 2**18), (40, 2, 2**18), (40, 2, 0)],
    ids=["one rectangle", "several rectangles", "and groups", "and nothing kept"],
)
def rectangles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How images and texts that are compared are cut up, and whether their cosines are kept for the gradient."""
    values, group, kept = request.param
    monkeypatch.setattr(relevance, "VALUES", {"cpu": values})
    monkeypatch.setattr(relevance, "KEPT", {"cpu": kept})
    monkeypatch.setattr(by_length, "GROUP", group)


@pytest.fixture
def make_fragments() -> MakeFragments:
    """Random fragments with the given number of places each, padded to `width` places, in double precision."""

    def make(places: Sequence[int], seed: int, width: int | None = None, dimensions: int = 6) -> Fragments:
        generator = torch.Generator().manual_seed(seed)
        width = width or max(places)
        fragments = torch.zeros(len(places), width, dimensions, dtype=torch.float64)
        mask = torch.zeros(len(places), width, dtype=torch.bool)
        for item, count in enumerate(places):
            drawn = torch.randn(count, dimensions, dtype=torch.float64, generator=generator)
            fragments[item, :count] = l2norm(drawn)
            mask[item, :count] = True
        return Fragments(fragments, mask, l2norm(fragments.sum(1)))

    return make


@pytest.fixture
def assert_same_scores(make_fragments: MakeFragments) -> Callable[..., None]:
    """Asserts that two ways to score images with texts give the same scores, with and without gradients, and the
    same gradients."""

    def check(
        one: Callable[[Fragments, Fragments], torch.Tensor],
        other: Callable[[Fragments, Fragments], torch.Tensor],
        places: tuple[Sequence[int], Sequence[int]],
    ) -> None:
        gradients, values = [], []
        for score in (one, other):
            images, texts = make_fragments(places[0], 1, width=6), make_fragments(places[1], 2, width=7)
            images.fragments.requires_grad_()
            texts.fragments.requires_grad_()
            scores = score(images, texts)
            weigh = torch.arange(1.0, scores.numel() + 1, dtype=torch.float64).view_as(scores)
            (scores * weigh).sum().backward()
            values.append(scores.detach())
            # Padding is no input.
            gradients.append(
                [f.fragments.grad[f.mask] for f in (images, texts) if f.fragments.grad is not None]
            )
        images, texts = make_fragments(places[0], 1, width=6), make_fragments(places[1], 2, width=7)
        with torch.no_grad():
            alone = one(images, texts)
        for found in (values[0], alone):
            torch.testing.assert_close(found, values[1], rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-6, atol=1e-7)

    return check


class ToyData(Dataset):
    """Images of a few random regions; a caption names the kind of each region, and knows where it is."""

    summary: ClassVar[str] = "a toy"

    name: str = "toy"
    train_images: int = 24
    same: bool = False
    """All images and all captions alike."""
    broken: bool = False
    """Features are NaN."""

    def load(self, split: SplitName) -> Split:
        images = {"train": self.train_images, "dev": 8, "test": 10}[split]
        random = np.random.default_rng({"train": 0, "dev": 1, "test": 2}[split])
        kinds = random.integers(0, 6, (images, 4))
        if self.same:
            kinds[:] = 1
        regions = np.eye(6, dtype=np.float32)[kinds]
        if not self.same:
            regions += random.normal(0, 0.1, regions.shape).astype(np.float32)
        if self.broken:
            regions[:] = np.nan
        present = np.ones((images, 4), bool)
        present[::3, 3] = self.same
        corners = np.tile(np.arange(4, dtype=np.float32)[None, :, None] / 4, (images, 1, 1))
        boxes = np.concatenate([corners, corners, corners + 0.25, corners + 0.25], axis=2)
        captions, referents = [], []
        for image in range(images):
            for first in range(2):
                places = [] if self.same else [p for p in range(first, 4) if present[image, p]]
                captions.append(["a", *(f"kind{kinds[image, p]}" for p in places)])
                referents.append([np.zeros((0, 4), np.float32), *(boxes[image, p : p + 1] for p in places)])
        return Split(
            regions=regions * present[..., None],
            boxes=boxes,
            present=present,
            captions=captions,
            image_of=np.repeat(np.arange(images, dtype=np.int32), 2),
            referents=referents,
            scenes=np.zeros((images, 16, 16), np.uint8),
        )

    def fingerprint(self) -> str:
        return "toy"


@pytest.fixture
def toy_data() -> type[ToyData]:
    """A data set with two captions an image and padded regions; a simple model learns it."""
    return ToyData
