"""Poolings of fragments, against their definitions item by item and dimension by dimension."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from crosscut_trainables.pooling import (
    POOLINGS,
    POSITIONS,
    AttentionPooling,
    GeneralisedPooling,
    MaxPooling,
    MeanPooling,
)

WIDTH = 5
MASKS = {
    "none": torch.ones(3, 6, dtype=torch.bool),
    "at the end": torch.arange(6) < torch.tensor([[4], [1], [6]]),
    "anywhere": torch.tensor([[0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 1], [1, 0, 1, 1, 1, 1]]).bool(),
}
padding = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)


def items(mask: Tensor, dtype: torch.dtype = torch.float64) -> Tensor:
    drawn = torch.randn(*mask.shape, WIDTH, generator=torch.Generator().manual_seed(1), dtype=dtype)
    drawn[..., 0] = -drawn[..., 0].abs()
    return (drawn * mask[..., None]).requires_grad_()


def seeded(make: Callable[[int], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return make(WIDTH)


def agree(module: nn.Module, pooled: Callable[[Tensor], Tensor], mask: Tensor) -> None:
    """Vectors and gradients are those of `pooled`, which takes an item's (n, D) places that are there."""
    x = items(mask)
    vectors = module(x, mask), torch.stack([pooled(item[m]) for item, m in zip(x, mask, strict=True)])
    weigh = torch.arange(1.0, vectors[0].numel() + 1, dtype=torch.float64).view_as(vectors[0])
    torch.testing.assert_close(*vectors)
    grads = [torch.autograd.grad((v * weigh).sum(), [x, *module.parameters()]) for v in vectors]
    for one, two in zip(*([own[mask], *rest] for own, *rest in grads), strict=True):  # padding is no input
        torch.testing.assert_close(one, two)


@padding
def test_the_mean_is_that_of_the_places_that_are_there(mask: Tensor) -> None:
    agree(
        MeanPooling(), lambda places: torch.stack([column.sum() / len(column) for column in places.T]), mask
    )


@padding
def test_the_largest_is_that_of_the_places_that_are_there(mask: Tensor) -> None:
    # One dimension is below 0 everywhere, so zeros at padding would show.
    agree(MaxPooling(), lambda places: torch.stack([max(column) for column in places.T]), mask)


@padding
def test_attention_is_that_of_the_definition(mask: Tensor) -> None:
    module = seeded(AttentionPooling).double()
    assert isinstance(module, AttentionPooling)

    def pooled(places: Tensor) -> Tensor:
        hidden = [torch.tanh(module.hidden.weight @ x + module.hidden.bias) for x in places]
        exponentials = [torch.exp(module.weigh.weight[0] @ h) for h in hidden]
        return sum(
            (e / sum(exponentials) * x for e, x in zip(exponentials, places, strict=True)),
            torch.zeros_like(places[0]),
        )

    agree(module, pooled, mask)


def direct_coefficients(module: GeneralisedPooling, count: int) -> Tensor:
    """θ of 1 … `count`, the network run over that many positions alone."""
    codes = [
        [
            (math.sin if d % 2 == 0 else math.cos)(k / 10000 ** ((d - d % 2) / POSITIONS))
            for d in range(POSITIONS)
        ]
        for k in range(count)
    ]
    states = module.read(torch.tensor([codes], dtype=torch.float64))[0][0]
    numbers = [module.weigh.weight[0] @ (s[:POSITIONS] + s[POSITIONS:]) / 2 for s in states]
    exponentials = torch.exp(torch.stack(numbers) / 0.1)
    return exponentials / exponentials.sum()


@padding
def test_generalised_pooling_is_that_of_the_definition(mask: Tensor) -> None:
    module = seeded(GeneralisedPooling)
    assert isinstance(module, GeneralisedPooling)
    precise = copy.deepcopy(module).double()
    x, same = (items(mask, torch.float32).detach().requires_grad_() for _ in range(2))
    found = module(x, mask)
    rows = []
    for item, there in zip(same.double(), mask, strict=True):
        weights = direct_coefficients(precise, int(there.sum()))
        columns = [sorted(column, reverse=True) for column in item[there].T]
        rows.append(
            torch.stack([sum(w * v for w, v in zip(weights, c, strict=True)) for c in columns])  # type: ignore[misc]
        )
    expected = torch.stack(rows)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    weigh = torch.arange(1.0, found.numel() + 1).view_as(found)
    (found * weigh).sum().backward()
    (expected * weigh).sum().backward()
    assert x.grad is not None
    assert same.grad is not None
    torch.testing.assert_close(x.grad[mask], same.grad[mask], rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(module.parameters(), precise.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(ours.grad.double(), theirs.grad, rtol=1e-3, atol=1e-4)


def test_coefficients_sum_to_one_and_are_zero_beyond_the_places() -> None:
    module = seeded(GeneralisedPooling)
    assert isinstance(module, GeneralisedPooling)
    weights = module.coefficients(6)
    assert weights.shape == (7, 6)
    torch.testing.assert_close(weights.sum(1), torch.tensor([0.0] + 6 * [1.0]))
    assert (weights.triu()[:6] == 0).all()
    torch.testing.assert_close(module.coefficients(9)[:7, :6], weights)


@padding
def test_generalised_pooling_with_equal_coefficients_is_the_mean(mask: Tensor) -> None:
    module = seeded(GeneralisedPooling)
    assert isinstance(module, GeneralisedPooling)
    nn.init.zeros_(module.weigh.weight)
    x = items(mask, torch.float32)
    torch.testing.assert_close(module(x, mask), MeanPooling()(x, mask))


@padding
def test_generalised_pooling_with_the_first_coefficient_alone_is_the_largest(
    mask: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = seeded(GeneralisedPooling)
    first = torch.zeros(7, 6).index_fill(1, torch.tensor([0]), 1.0)
    monkeypatch.setattr(module, "coefficients", lambda width: first)
    x = items(mask, torch.float32)
    torch.testing.assert_close(module(x, mask), MaxPooling()(x, mask))


@pytest.mark.parametrize("name", sorted(POOLINGS))
def test_an_item_without_places_is_zero(name: str) -> None:
    mask = MASKS["anywhere"].clone()
    mask[1] = False
    x = items(mask, torch.float32)
    pooled = seeded(POOLINGS[name])(x, mask)
    assert (pooled[1] == 0).all()
    assert (pooled[[0, 2]] != 0).all()
    pooled.sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
