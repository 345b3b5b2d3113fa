"""Batch normalisation, against torch's own on the places that are there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from crosscut_trainables.batch_norm import BatchNorm, end_step

WIDTH = 3
MASK = torch.tensor(
    [[True, True, False, True, False], [False, True, True, True, True], [True, True, False, False, False]]
)


def values(seed: int, groups: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(groups, 5, WIDTH, dtype=torch.float64, generator=generator) + 1


def both(momentum: float = 0.1) -> tuple[BatchNorm, nn.BatchNorm1d]:
    """Ours and torch's, with the same scale and shift."""
    ours, torchs = BatchNorm(WIDTH, momentum).double(), nn.BatchNorm1d(WIDTH, momentum=momentum).double()
    with torch.no_grad():
        for scale, shift in ((ours.scale, ours.shift), (torchs.weight, torchs.bias)):
            scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
            shift.copy_(torch.tensor([-1.0, 0.0, 3.0]))
    return ours, torchs


@pytest.mark.parametrize("momentum", [0.1, 0.3])
def test_one_group_is_normalised_and_remembered_as_torch_does(momentum: float) -> None:
    ours, torchs = both(momentum)
    mask = MASK[:1]
    for step in range(3):
        one, two = (values(step, 1).requires_grad_() for _ in range(2))
        found, expected = ours(one, mask)[mask], torchs(two[mask])
        torch.testing.assert_close(found, expected)
        weigh = torch.arange(1.0, found.numel() + 1, dtype=torch.float64).view_as(found).sin()
        grads = torch.autograd.grad((found * weigh).sum(), [one, ours.scale, ours.shift])
        wanted = torch.autograd.grad((expected * weigh).sum(), [two, torchs.weight, torchs.bias])
        for grad, other in zip(grads, wanted, strict=True):
            torch.testing.assert_close(grad, other)
        ours.end_step(1)
        torch.testing.assert_close(ours.mean, torchs.running_mean)
        torch.testing.assert_close(ours.variance, torchs.running_var)


def test_every_group_is_normalised_by_itself_and_their_statistics_are_averaged() -> None:
    ours, _ = both()
    x = values(1)
    found = ours(x, MASK)
    ours.end_step(1)
    means, variances = [], []
    for group in range(3):
        _, torchs = both(momentum=1.0)
        torch.testing.assert_close(found[group][MASK[group]], torchs(x[group][MASK[group]]))
        means.append(torchs.running_mean)
        variances.append(torchs.running_var)
    torch.testing.assert_close(ours.mean, 0.1 * torch.stack(means).mean(0))
    torch.testing.assert_close(ours.variance, 0.9 + 0.1 * torch.stack(variances).mean(0))


def test_running_statistics_change_only_at_the_end_of_a_step() -> None:
    ours, _ = both()
    ours(values(1), MASK)
    ours(values(2), MASK)
    assert (ours.mean == 0).all()
    assert (ours.variance == 1).all()
    ours.end_step(1)
    mean, variance = ours.mean.clone(), ours.variance.clone()
    assert (mean != 0).all()
    ours.end_step(1)
    assert torch.equal(ours.mean, mean)
    assert torch.equal(ours.variance, variance)


@pytest.mark.parametrize("times", [2, 3])
def test_a_step_counts_once_however_many_forwards_saw_the_same(times: int) -> None:
    once, often = both()[0], both()[0]
    once(values(1), MASK)
    for _ in range(times):
        often(values(1), MASK)
    for module in (once, often):
        module.end_step(1)
    torch.testing.assert_close(often.mean, once.mean)
    torch.testing.assert_close(often.variance, once.variance)


def test_groups_that_come_in_parts_count_as_groups_that_come_together() -> None:
    together, apart = both()[0], both()[0]
    x = values(1)
    whole = together(x, MASK)
    parts = [apart(x[part], MASK[part]) for part in (slice(0, 1), slice(1, 3))]
    torch.testing.assert_close(torch.cat(parts), whole)
    for module in (together, apart):
        module.end_step(1)
    torch.testing.assert_close(apart.mean, together.mean)
    torch.testing.assert_close(apart.variance, together.variance)


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    ours, torchs = both()
    for step in range(2):
        ours(values(step, 1), MASK[:1])
        torchs(values(step, 1)[MASK[:1]])
        ours.end_step(1)
    ours.eval()
    torchs.eval()
    mean, variance = ours.mean.clone(), ours.variance.clone()
    found = ours(values(3), MASK)
    torch.testing.assert_close(found[MASK], torchs(values(3)[MASK]))
    ours.end_step(1)
    assert torch.equal(ours.mean, mean)
    assert torch.equal(ours.variance, variance)


@pytest.mark.parametrize("training", [True, False])
def test_what_stands_at_padding_has_no_part(training: bool) -> None:
    results = []
    for junk in (0.0, 1e3):
        ours = both()[0].train(training)
        x = values(1).masked_fill(~MASK[..., None], junk).requires_grad_()
        found = ours(x, MASK)[MASK]
        (found * found.detach().sin()).sum().backward()
        ours.end_step(1)
        assert x.grad is not None
        assert (x.grad[~MASK] == 0).all()
        results.append([found, x.grad, ours.mean, ours.variance])
    for clean, dirty in zip(*results, strict=True):
        torch.testing.assert_close(clean, dirty)


def test_a_step_of_a_model_ends_in_all_its_normalisations() -> None:
    model = nn.Sequential(both()[0], nn.Sequential(both()[0], nn.Linear(WIDTH, WIDTH)), both()[0])
    inner = model[1]
    assert isinstance(inner, nn.Sequential)
    for module in (model[0], inner[0]):
        module(values(1), MASK)
    end_step(model, 1)
    assert (model[0].mean != 0).all()
    assert torch.equal(model[0].mean, inner[0].mean)
    assert (model[2].mean == 0).all()  # it saw nothing
