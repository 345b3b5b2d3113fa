"""What holds of every registered semantic loss, and what each of them computes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn.functional import normalize

from crosscut_trainables.stages import SEMANTIC_LOSSES, SemanticLoss, Separated
from crosscut_trainables.stages.literal import Literal
from crosscut_trainables.stages.options import Stages

MEANINGS = torch.tensor([4, 7, 4, 9, 2, 5])
SAME = MEANINGS[:, None] == MEANINGS
ALONE = torch.eye(6, dtype=torch.bool)
NONE_OTHER = torch.ones(6, 6, dtype=torch.bool)

VARIANTS: list[SemanticLoss] = [
    Literal(),
    Separated(),
    Separated(negatives="hardest"),
    Separated(margin=2.0),
]


def units(count: int = 6, seed: int = 0, width: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return normalize(torch.randn(count, width, dtype=torch.float64, generator=generator))


def at(distance: float) -> tuple[Tensor, Tensor]:
    """Two unit vectors that far apart, (1, 2) each; the second one may be moved."""
    angle = 2 * math.asin(distance / 2)
    one = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    other = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64)
    return one, other.requires_grad_()


def term(loss: SemanticLoss, distance: float) -> float:
    """The loss of a single pair of unit vectors."""
    return loss.loss(*at(distance), torch.ones(1, 1, dtype=torch.bool)).item()


@pytest.fixture(params=range(len(VARIANTS)), ids=lambda number: repr(VARIANTS[number]))
def loss(request: pytest.FixtureRequest) -> SemanticLoss:
    return VARIANTS[request.param]


@pytest.mark.parametrize("name", sorted(SEMANTIC_LOSSES))
def test_it_is_registered_under_its_own_name(name: str) -> None:
    chosen = SEMANTIC_LOSSES[name].model_validate({})
    assert chosen.name == name
    assert chosen.summary
    assert name in {variant.name for variant in VARIANTS}


@pytest.mark.parametrize("name", sorted(SEMANTIC_LOSSES))
def test_a_stage_takes_it_by_its_name(name: str) -> None:
    stages = Stages.model_validate({"text": {"loss": {"name": name}}, "image": {"loss": {"name": name}}})
    assert type(stages.text.loss) is type(stages.image.loss) is SEMANTIC_LOSSES[name]
    assert Stages.model_validate(stages.model_dump(mode="json")) == stages


def test_unknown_options_are_refused(loss: SemanticLoss) -> None:
    with pytest.raises(ValidationError, match="colour"):
        type(loss).model_validate({"name": loss.name, "colour": "red"})


def test_options_survive_a_round_trip(loss: SemanticLoss) -> None:
    assert type(loss).model_validate_json(loss.model_dump_json()) == loss


def test_the_loss_is_one_number_and_positive(loss: SemanticLoss) -> None:
    found = loss.loss(units(), units(seed=1), SAME)
    assert found.shape == ()
    assert found > 0


def test_a_permuted_batch_has_the_same_loss(loss: SemanticLoss) -> None:
    order = torch.tensor([3, 1, 5, 4, 0, 2])
    one, other = units(), units(seed=1)
    permuted = loss.loss(one[order], other[order], SAME[order][:, order])
    torch.testing.assert_close(permuted, loss.loss(one, other, SAME))


def test_both_items_of_a_pair_count_alike(loss: SemanticLoss) -> None:
    one, other = units(), units(seed=1)
    torch.testing.assert_close(loss.loss(other, one, SAME.T), loss.loss(one, other, SAME))


def test_pairs_are_summed(loss: SemanticLoss) -> None:
    one, other = units(), units(seed=1)
    every = torch.ones(1, 1, dtype=torch.bool)
    alone = [loss.loss(one[p : p + 1], other[p : p + 1], every) for p in range(6)]
    # Of one meaning all, no pair has to do with another.
    torch.testing.assert_close(loss.loss(one, other, NONE_OTHER), torch.stack(alone).sum())
    # A batch that has every pair twice costs twice as much, negatives or none.
    twice = loss.loss(one.repeat(2, 1), other.repeat(2, 1), SAME.repeat(2, 2))
    torch.testing.assert_close(twice, 2 * loss.loss(one, other, SAME))


@pytest.mark.parametrize("kind", ["pairs", "all", "opposite"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_where_features_are_alike_or_opposite(
    loss: SemanticLoss, kind: str, dtype: torch.dtype
) -> None:
    first = units()[:1].expand(6, -1) if kind == "all" else units()
    one = first.to(dtype).clone().requires_grad_()
    other = (first * (-1 if kind == "opposite" else 1)).to(dtype).clone().requires_grad_()
    found = loss.loss(one, other, SAME)
    found.backward()
    assert torch.isfinite(found)
    for features in (one, other):
        assert features.grad is not None
        assert torch.isfinite(features.grad).all()


def test_the_very_same_features_on_both_sides_have_a_finite_gradient(loss: SemanticLoss) -> None:
    features = units().requires_grad_()
    loss.loss(features, features, SAME).backward()
    assert features.grad is not None
    assert torch.isfinite(features.grad).all()


def test_literal_is_what_is_printed() -> None:
    # Of any vectors, and the sum of absolute values: the second pair's term is negative before that.
    one = torch.tensor([[3.0, 0.0], [2.0, 0.0]])
    other = torch.tensor([[0.0, 4.0], [-2.0, 0.0]])
    every = torch.ones(2, 2, dtype=torch.bool)
    assert Literal().loss(one, other, every).item() == pytest.approx(5.0 + abs(4.0 - 4.0))
    assert Literal().loss(3 * one, 3 * other, every).item() == pytest.approx(15.0 + abs(12.0 - 36.0))


@pytest.mark.parametrize("distance", [0.0, 0.3, 0.7, 1.0, 1.3, 1.9, 2.0])
def test_on_unit_vectors_a_term_of_literal_is_a_parabola_of_the_distance(distance: float) -> None:
    assert term(Literal(), distance) == pytest.approx(1 + distance - distance**2 / 2)


def test_literal_is_least_for_identical_and_for_opposite_features_and_most_in_between() -> None:
    assert term(Literal(), 0.0) == pytest.approx(1.0)
    assert term(Literal(), 2.0) == pytest.approx(1.0)
    assert term(Literal(), 1.0) == pytest.approx(1.5)
    scanned = [step / 100 for step in range(201)]
    terms = [term(Literal(), distance) for distance in scanned]
    assert scanned[terms.index(max(terms))] == 1.0
    assert min(terms) == pytest.approx(1.0)
    rises = [after > before for before, after in pairwise(terms)]
    assert rises == [True] * 100 + [False] * 100


@pytest.mark.parametrize("distance", [0.1, 0.5, 0.95, 1.05, 1.5, 1.9])
def test_literal_draws_near_pairs_together_and_drives_far_ones_apart(distance: float) -> None:
    one, other = at(distance)
    Literal().loss(one, other, torch.ones(1, 1, dtype=torch.bool)).backward()
    assert other.grad is not None
    with torch.no_grad():
        after = (one - normalize(other - 0.01 * other.grad)).norm().item()
    assert after < distance if distance < 1 else after > distance


def test_literal_does_not_ask_for_other_meanings() -> None:
    one, other = units(), units(seed=1)
    found = {Literal().loss(one, other, same).item() for same in (SAME, ALONE, NONE_OTHER)}
    assert len(found) == 1
    # Another item elsewhere in the batch changes no gradient of a pair.
    gradients = []
    for seed in (2, 3):
        own = units().requires_grad_()
        others = torch.cat([other[:1], units(5, seed)])
        Literal().loss(own, others, SAME).backward()
        assert own.grad is not None
        gradients.append(own.grad[0])
    assert torch.equal(gradients[0], gradients[1])


def cosines_of_meanings(features: Tensor, meanings: Tensor) -> tuple[float, float]:
    """Mean cosine of items of one meaning, and of different ones."""
    cosines = features @ features.T
    same = meanings[:, None] == meanings
    own = same & ~torch.eye(len(meanings), dtype=torch.bool)
    return cosines[own].mean().item(), cosines[~same].mean().item()


def descend(loss: SemanticLoss, free: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """Cosines before and after descending from features that start near each other, of 8 meanings with 4 items.

    The features are `free`, or what one linear map with a bias makes of inputs, as an encoder would.
    """
    generator = torch.Generator().manual_seed(0)
    meanings = torch.arange(8).repeat_interleave(4)
    inputs = torch.randn(8, 6, generator=generator)[meanings]
    inputs = inputs + 0.5 * torch.randn(32, 6, generator=generator)
    start = torch.randn(32, 6, generator=generator) * 0.2
    weights = torch.randn(6, 6, generator=generator) * 0.1
    pole = torch.ones(6) / 6**0.5
    learnt = [(start if free else weights).requires_grad_(), pole.clone().requires_grad_()]

    def features() -> Tensor:
        return normalize(pole + learnt[0]) if free else normalize(inputs @ learnt[0] + learnt[1])

    before = cosines_of_meanings(features().detach(), meanings)
    optimizer = torch.optim.Adam(learnt[: 1 if free else 2], lr=0.02)
    for _ in range(400):
        partner = torch.arange(32) // 4 * 4 + torch.randint(0, 4, (32,), generator=generator)
        found = features()
        optimizer.zero_grad()
        loss.loss(found, found[partner], meanings[:, None] == meanings).backward()
        optimizer.step()
    return before, cosines_of_meanings(features().detach(), meanings)


def test_literal_makes_all_that_an_encoder_gives_alike_and_separated_does_not() -> None:
    (_, start), (same, other) = descend(Literal(), free=False)
    assert start < 0.8
    assert same > 0.999
    assert other > 0.999
    for negatives in ("mean", "hardest"):
        _, (same, other) = descend(Separated.model_validate({"negatives": negatives}), free=False)
        assert same > 0.8
        assert other < 0.4


def test_literal_leaves_free_features_that_start_near_each_other_near_and_separated_does_not() -> None:
    # No force acts between meanings: each gathers in its own middle.
    (_, start), (same, other) = descend(Literal(), free=True)
    assert start > 0.8
    assert same > 0.99
    assert other > 0.9
    _, (same, other) = descend(Separated(), free=True)
    assert same > 0.99
    assert other < 0.4


def separated_by_definition(one: Tensor, other: Tensor, same: Tensor, option: Separated) -> float:
    total = 0.0
    for pair in range(len(one)):
        total += float((one[pair] - other[pair]).norm())
        for anchor, items, whether in ((one[pair], other, same[pair]), (other[pair], one, same[:, pair])):
            hinges = [
                max(0.0, option.margin - float((anchor - item).norm()))
                for item, shared in zip(items, whether, strict=True)
                if not shared
            ]
            if hinges:
                total += 0.5 * (max(hinges) if option.negatives == "hardest" else sum(hinges) / len(hinges))
    return total


@pytest.mark.parametrize("negatives", ["mean", "hardest"])
@pytest.mark.parametrize("margin", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("same", [SAME, ALONE, NONE_OTHER], ids=["same", "alone", "none-other"])
def test_separated_is_its_definition(negatives: Any, margin: float, same: Tensor) -> None:
    option = Separated(margin=margin, negatives=negatives)
    for seed in range(5):
        one = units(seed=seed)
        other = normalize(one + 0.4 * units(seed=seed + 10))
        expected = separated_by_definition(one, other, same, option)
        assert option.loss(one, other, same).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("negatives", ["mean", "hardest"])
def test_a_mask_that_differs_by_side_is_read_by_rows_of_one(negatives: Any) -> None:
    same = ALONE.clone()
    same[0, 3] = same[2, 1] = same[2, 5] = True
    one, other = units(), units(seed=1)
    option = Separated(margin=2.0, negatives=negatives)
    expected = separated_by_definition(one, other, same, option)
    assert option.loss(one, other, same).item() == pytest.approx(expected, rel=1e-9)
    assert option.loss(one, other, same.T).item() != pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("negatives", ["mean", "hardest"])
def test_items_of_one_meaning_are_never_negatives(negatives: Any) -> None:
    # Pairs 0 and 1 have one meaning and lie near each other; pair 2 has another and lies beyond the margin.
    one = torch.tensor([[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]])
    other = torch.tensor([[0.8, -0.6], [1.0, 0.0], [-0.8, -0.6]])
    meanings = torch.tensor([3, 3, 5])
    option = Separated(margin=1.0, negatives=negatives)
    distances = (one - other).norm(dim=1).sum().item()
    assert option.loss(one, other, meanings[:, None] == meanings).item() == pytest.approx(distances)
    assert option.loss(one, other, torch.eye(3, dtype=torch.bool)).item() > distances + 0.4


@pytest.mark.parametrize("negatives", ["mean", "hardest"])
def test_a_batch_without_negatives_has_the_distances_alone(negatives: Any) -> None:
    one, other = units(), units(seed=1)
    found = Separated(margin=2.0, negatives=negatives).loss(one, other, NONE_OTHER)
    assert found.item() == pytest.approx((one - other).norm(dim=1).sum().item())


@pytest.mark.parametrize("negatives", ["mean", "hardest"])
def test_negatives_beyond_the_margin_cost_nothing_and_others_are_driven_apart(negatives: Any) -> None:
    option = Separated(margin=1.0, negatives=negatives)
    corners = torch.eye(3, dtype=torch.float64)
    alone = torch.eye(3, dtype=torch.bool)
    assert option.loss(corners, corners, alone).item() == 0.0
    near = normalize(corners + 2).requires_grad_()
    option.loss(near, near, alone).backward()
    assert near.grad is not None
    with torch.no_grad():
        moved = normalize(near - 0.01 * near.grad)
    assert torch.pdist(moved).min() > torch.pdist(near.detach()).max()


def test_the_hardest_negative_costs_at_least_what_the_mean_of_them_does() -> None:
    one, other = units(), units(seed=1)
    mean, hardest = (
        Separated(margin=2.0, negatives=kind).loss(one, other, SAME) for kind in ("mean", "hardest")
    )
    assert hardest > mean


@pytest.mark.parametrize("margin", [0, -1, 2.1, math.nan])
def test_a_margin_that_no_unit_vectors_keep_is_refused(margin: float) -> None:
    with pytest.raises(ValidationError, match="margin"):
        Separated.model_validate({"margin": margin})
