"""PFAN against its definition: the peak term word by word, blocks one by one, positions region by region."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from crosscut_trainables.backbones import by_length
from crosscut_trainables.backbones.pfan import Pfan
from crosscut_trainables.encoders.positions import Positions
from crosscut_trainables.encoders.projections import PositionedProjection, blocks_of
from crosscut_trainables.fragments import Fragments

PLACES = ([3, 5, 1, 4], [2, 6, 4])


def direct_score(regions: Tensor, words: Tensor, backbone: Pfan) -> Tensor:
    """Score of one pair without padding, its peak term counted in."""
    cosines = regions @ words.T
    clipped = torch.where(cosines > 0, cosines, 0.1 * cosines)
    raw = torch.stack([row / (row.norm() + 1e-8) for row in clipped])
    relevance, peaks = [], []
    for j, word in enumerate(words):
        exponentials = torch.exp(backbone.temperature * raw[:, j])
        weights = exponentials / exponentials.sum()
        attended = weights @ regions
        relevance.append(word @ attended / attended.norm())
        peaks.append(weights.max())
    return sum(relevance, torch.tensor(0.0)) / len(words) + backbone.peak * torch.stack(peaks).mean()


def direct_scores(images: Fragments, texts: Fragments, backbone: Pfan) -> Tensor:
    rows = []
    for image, regions in zip(images.fragments, images.mask, strict=True):
        row = [
            direct_score(image[regions], text[words], backbone)
            for text, words in zip(texts.fragments, texts.mask, strict=True)
        ]
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("group", [32, 2])
@pytest.mark.parametrize("options", [{}, {"peak": 0.5}, {"peak": 2.0, "temperature": 3.0}], ids=str)
def test_scores_and_gradients_are_those_of_the_definition(
    assert_same_scores: Any, group: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_length, "GROUP", group)
    backbone = Pfan.model_validate(options)
    assert_same_scores(
        lambda images, texts: backbone.match(images, texts, None).scores,
        lambda images, texts: direct_scores(images, texts, backbone),
        PLACES,
    )


def test_the_peak_of_an_image_of_one_region_is_one(make_fragments: Any) -> None:
    images, texts = make_fragments([1, 1], 1, width=3), make_fragments(PLACES[1], 2, width=7)
    without, with_peak = (
        Pfan.model_validate({"peak": peak}).match(images, texts, None).scores for peak in (0.0, 0.5)
    )
    torch.testing.assert_close(with_peak, without + 0.5)


def direct_blocks(box: list[float], grid: int, count: int) -> tuple[list[int], list[float]]:
    """The blocks of one box: each block's covered share, the largest first, of equal ones the first row by row."""
    shares = []
    for row in range(grid):
        for column in range(grid):
            left, right = max(box[0], column / grid), min(box[2], (column + 1) / grid)
            top, bottom = max(box[1], row / grid), min(box[3], (row + 1) / grid)
            area = max(0.0, right - left) * max(0.0, bottom - top)
            shares.append((area * grid**2, row * grid + column))
    best = sorted(shares, key=lambda found: (-found[0], found[1]))[:count]
    return [number if share > 0 else grid**2 for share, number in best], [share for share, _ in best]


AT_THE_BORDER = [
    [0.0, 0.0, 1.0, 1.0],
    [0.0, 0.0, 1 / 16, 1 / 16],
    [15 / 16, 15 / 16, 1.0, 1.0],
    [0.0, 0.984375, 1.0, 1.0],
    [0.25, 0.25, 0.5, 0.5],
    [1.0, 1.0, 1.0, 1.0],
    [0.0, 0.0, 0.0, 0.0],
    [0.25, 0.5, 0.25, 0.75],
]


@pytest.mark.parametrize(("grid", "count"), [(16, 15), (4, 3), (2, 4), (8, 64)])
def test_blocks_and_shares_are_those_that_looking_at_every_block_finds(grid: int, count: int) -> None:
    # Edges are 64ths, so that shares are exact and ties are ties.
    corners = torch.randint(0, 65, (6, 2, 2), generator=torch.Generator().manual_seed(0)).sort(1).values / 64
    boxes = torch.cat([corners.flatten(1), torch.tensor(AT_THE_BORDER)]).double()
    ids, shares = blocks_of(boxes, grid, count)
    for box, found, covered in zip(boxes.tolist(), ids.tolist(), shares.tolist(), strict=True):
        assert (found, covered) == direct_blocks(box, grid, count)


def test_boxes_between_the_edges_of_blocks_cover_the_shares_that_looking_at_every_block_finds() -> None:
    generator = torch.Generator().manual_seed(1)
    boxes = torch.rand(2, 5, 2, 2, dtype=torch.float64, generator=generator).sort(2).values.flatten(2)
    ids, shares = blocks_of(boxes, 10, 15)
    assert ids.shape == shares.shape == (2, 5, 15)
    for image in range(2):
        for region in range(5):
            _, expected = direct_blocks(boxes[image, region].tolist(), 10, 15)
            assert shares[image, region].tolist() == pytest.approx(expected, abs=1e-12)


def test_blocks_that_are_covered_alike_are_taken_row_by_row() -> None:
    box = torch.tensor([0.25, 0.0, 0.75, 0.5])
    ids, shares = blocks_of(box, 4, 3)
    assert ids.tolist() == [1, 2, 5]
    assert shares.tolist() == [1, 1, 1]


def test_a_box_that_covers_fewer_blocks_is_filled_up_with_the_block_that_is_none() -> None:
    ids, shares = blocks_of(torch.tensor([0.0, 0.0, 0.5, 0.125]), 4, 5)
    assert ids.tolist() == [0, 1, 16, 16, 16]
    assert shares.tolist() == [0.5, 0.5, 0, 0, 0]


def direct_projection(module: PositionedProjection, region: Tensor, box: list[float]) -> Tensor:
    """W [v; p] + b of one region, p = Σ_l w_l p_l, w = softmax(overlap · softmax(tanh <V v, p_l>))."""
    ids, overlaps = direct_blocks(box, module.grid, module.blocks)
    seen = module.weigh.weight @ region + module.weigh.bias
    vectors = [module.embed.weight[number] for number in ids]
    agreements = [torch.exp(torch.tanh(seen @ vector)) for vector in vectors]
    logits = [
        overlap * a / torch.stack(agreements).sum() for overlap, a in zip(overlaps, agreements, strict=True)
    ]
    exponentials = torch.exp(torch.stack(logits))
    weights = exponentials / exponentials.sum()
    position = torch.zeros_like(vectors[0])
    for weight, vector in zip(weights, vectors, strict=True):
        position = position + weight * vector
    return module.project.weight @ torch.cat([region, position]) + module.project.bias


@pytest.mark.parametrize(("grid", "blocks"), [(16, 15), (4, 6)])
def test_positioned_regions_and_gradients_are_those_of_the_definition(grid: int, blocks: int) -> None:
    generator = torch.Generator().manual_seed(2)
    encoder = Positions(grid=grid, blocks=blocks, position_width=7)
    module = encoder.projection(5, 4, generator).double()
    assert isinstance(module, PositionedProjection)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, generator=generator)
    regions = torch.randn(2, 4, 5, dtype=torch.float64, generator=generator).requires_grad_()
    corners = torch.randint(0, 65, (2, 4, 2, 2), generator=generator).sort(2).values.double() / 64
    boxes = corners.flatten(2)
    boxes[1, 3] = 0  # padding
    inputs = [regions, *module.parameters()]

    found = module(regions, boxes)
    expected = torch.stack(
        [
            torch.stack([direct_projection(module, v, box) for v, box in zip(*pair, strict=True)])
            for pair in zip(regions, boxes.tolist(), strict=True)
        ]
    )
    weigh = torch.arange(1.0, found.numel() + 1, dtype=torch.float64).view_as(found)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)
    for one, two in zip(
        torch.autograd.grad((found * weigh).sum(), inputs),
        torch.autograd.grad((expected * weigh).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(one, two, rtol=1e-8, atol=1e-9)


def test_a_region_that_covers_nothing_takes_the_block_that_is_none_alone() -> None:
    module = PositionedProjection(5, 4, torch.Generator().manual_seed(3), grid=4, blocks=3, position_width=7)
    region = torch.randn(1, 1, 5, generator=torch.Generator().manual_seed(4))
    expected = module.project(torch.cat([region[0, 0], module.embed.weight[16]]))
    torch.testing.assert_close(module(region, torch.zeros(1, 1, 4))[0, 0], expected)


def test_no_more_blocks_are_taken_than_there_are() -> None:
    module = Positions(grid=2, blocks=15).projection(5, 4, torch.Generator())
    assert module(torch.zeros(1, 1, 5), torch.tensor([[[0.0, 0.0, 1.0, 1.0]]])).shape == (1, 1, 4)
    assert module.blocks == 4


@pytest.mark.parametrize("grid", range(2, 33))
def test_a_box_on_the_lines_of_the_grid_covers_its_own_blocks_alone(grid: int) -> None:
    for place in range(grid):
        box = torch.tensor([place, 0, place + 1, 1], dtype=torch.float32) / grid
        ids, overlaps = blocks_of(box, grid, 2)
        assert ids.tolist() == [place, grid**2]
        assert overlaps.tolist() == pytest.approx([1, 0], abs=1e-4)
