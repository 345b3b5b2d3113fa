"""Dropout: what is dropped depends on the seed and the place in the batch alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from crosscut_trainables.dropout import Dropout, begin_step
from crosscut_trainables.rows import Rows


def dropout(p: float = 0.4, seed: int = 5) -> Dropout:
    module = Dropout(p)
    module.seed = seed
    return module


ONES = torch.ones(6, 4, 5)


def test_values_are_dropped_or_scaled_as_drawn_for_the_whole_batch() -> None:
    x = torch.randn(6, 4, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()
    drawn = torch.rand(6, 4, 5, generator=torch.Generator().manual_seed(5))
    found = dropout(0.4)(x)
    found.sum().backward()
    assert x.grad is not None
    for place in torch.cartesian_prod(torch.arange(6), torch.arange(4), torch.arange(5)).tolist():
        factor = 0.0 if drawn[tuple(place)] < 0.4 else 1 / 0.6
        assert found[tuple(place)].item() == pytest.approx(x[tuple(place)].item() * factor)
        assert x.grad[tuple(place)].item() == pytest.approx(factor)


@pytest.mark.parametrize("p", [0.1, 0.4, 0.9])
def test_the_share_that_is_dropped_is_p_and_the_mean_stays(p: float) -> None:
    found = dropout(p)(torch.ones(100, 1000))
    assert (found == 0).double().mean().item() == pytest.approx(p, abs=0.01)
    assert found.mean().item() == pytest.approx(1, abs=0.05)
    assert found[found != 0].unique().tolist() == pytest.approx([1 / (1 - p)])


def test_the_same_seed_drops_the_same_and_another_seed_other_values() -> None:
    module = dropout()
    assert torch.equal(module(ONES), module(ONES))
    assert torch.equal(module(ONES), dropout()(ONES))
    assert not torch.equal(module(ONES), dropout(seed=6)(ONES))


def test_draws_leave_the_generator_of_torch_alone() -> None:
    before = torch.get_rng_state()
    dropout()(ONES)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("first", "last"), [(0, 6), (0, 1), (2, 5), (5, 6), (3, 3)])
def test_a_part_of_the_batch_drops_what_the_whole_drops_there(first: int, last: int) -> None:
    whole = dropout()(ONES)
    assert torch.equal(dropout()(ONES[first:last], Rows(first, 6)), whole[first:last])


def test_without_rows_it_is_the_whole_batch() -> None:
    assert torch.equal(dropout()(ONES), dropout()(ONES, Rows.all(6)))


def test_nothing_is_dropped_in_evaluation_or_with_probability_0() -> None:
    assert dropout().eval()(ONES) is ONES
    assert dropout(0.0)(ONES) is ONES


def model() -> nn.Module:
    return nn.ModuleDict(
        {"one": dropout(), "two": dropout(), "inner": nn.Sequential(nn.Linear(2, 2), dropout())}
    )


def seeds(module: nn.Module) -> list[int]:
    return [part.seed for part in module.modules() if isinstance(part, Dropout)]


def test_a_step_gives_every_module_a_seed_of_its_own() -> None:
    one = model()
    begin_step(one, 7)
    assert len(set(seeds(one))) == 3


def test_the_seeds_of_a_step_follow_from_the_seed_of_the_step() -> None:
    one, two = model(), model()
    begin_step(one, 7)
    begin_step(two, 8)
    assert not set(seeds(one)) & set(seeds(two))
    begin_step(two, 7)
    assert seeds(one) == seeds(two)
