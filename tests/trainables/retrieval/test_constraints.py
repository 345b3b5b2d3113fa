"""What holds of every registered constraint, and what each of them computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.constraints import CONSTRAINTS, Constraint, ContentResourcing, ContentSwapping
from crosscut_trainables.constraints.pairs import MatchedPairs, matched_pairs

IMAGES, TEXTS = [3, 5, 2, 4], [2, 6, 4, 3]
IMAGE_OF = torch.tensor([4, 7, 4, 9])
EVERY = torch.arange(4)


@pytest.fixture(params=sorted(CONSTRAINTS))
def constraint(request: pytest.FixtureRequest) -> Constraint:
    return CONSTRAINTS[request.param]()


@pytest.fixture(params=["t2i", "i2t"])
def direction(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pairs_of(
    make_fragments: Any,
    direction: str,
    width: int | None = None,
    order: Tensor = EVERY,
    image_of: Tensor = IMAGE_OF,
) -> MatchedPairs:
    images = make_fragments(IMAGES, 1, width=width).take(order)
    texts = make_fragments(TEXTS, 2, width=width).take(order)
    images.fragments.requires_grad_()
    texts.fragments.requires_grad_()
    attention = Scan.model_validate({"direction": direction}).match(images, texts, None).attentions[0]
    return matched_pairs(attention, EVERY, EVERY, texts, image_of[order])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_it_is_registered_under_its_own_name(constraint: Constraint) -> None:
    assert CONSTRAINTS[constraint.name] is type(constraint)
    assert constraint.summary


def test_padding_changes_nothing(constraint: Constraint, make_fragments: Any, direction: str) -> None:
    if isinstance(constraint, ContentSwapping):  # what is drawn depends on the number of places
        constraint = ContentSwapping(negatives="hardest")
    tight = constraint.loss(pairs_of(make_fragments, direction), generator())
    loose = constraint.loss(pairs_of(make_fragments, direction, width=9), generator())
    torch.testing.assert_close(tight, loose)


def test_a_permuted_batch_has_the_same_loss(
    constraint: Constraint, make_fragments: Any, direction: str
) -> None:
    if isinstance(constraint, ContentSwapping):  # what is drawn depends on the order
        constraint = ContentSwapping(negatives="hardest")
    here = constraint.loss(pairs_of(make_fragments, direction), generator())
    order = torch.tensor([3, 1, 0, 2])
    torch.testing.assert_close(
        constraint.loss(pairs_of(make_fragments, direction, order=order), generator()), here
    )


def test_gradients_are_finite(constraint: Constraint, make_fragments: Any, direction: str) -> None:
    pairs = pairs_of(make_fragments, direction, width=8)
    loss = constraint.loss(pairs, generator())
    gradients = torch.autograd.grad(loss, [pairs.weights, pairs.queries.fragments], allow_unused=True)
    assert loss > 0
    assert all(grad is None or torch.isfinite(grad).all() for grad in gradients)
    assert gradients[0] is not None
    assert (gradients[0] != 0).any()


def test_a_share_of_the_pairs_adds_up_to_the_whole(
    constraint: Constraint, make_fragments: Any, direction: str
) -> None:
    images, texts = make_fragments(IMAGES, 1), make_fragments(TEXTS, 2)
    whole = constraint.loss(pairs_of(make_fragments, direction), generator())
    shares = []
    for places in (torch.tensor([0]), torch.tensor([1, 2, 3])):
        own = texts.take(places)
        attention = Scan.model_validate({"direction": direction}).match(images, own, None).attentions[0]
        pairs = matched_pairs(attention, torch.arange(len(places)), places, texts, IMAGE_OF)
        shares.append(constraint.loss(pairs, generator()))
    torch.testing.assert_close(sum(shares), whole.detach())


def test_unknown_options_are_refused(constraint: Constraint) -> None:
    with pytest.raises(ValidationError, match="colour"):
        type(constraint).model_validate({"colour": "red"})


def test_options_survive_a_round_trip(constraint: Constraint) -> None:
    assert type(constraint).model_validate(constraint.model_dump(mode="json")) == constraint


def cosine(a: Tensor, b: Tensor) -> float:
    return float((a @ b / (a.norm() * b.norm())).item())


def test_ccr_is_its_definition(make_fragments: Any, direction: str) -> None:
    pairs = pairs_of(make_fragments, direction)
    expected = 0.0
    for p in range(4):
        keys = pairs.keys.fragments[p][pairs.keys.mask[p]]
        terms = []
        for q in torch.nonzero(pairs.queries.mask[p]).flatten():
            w = pairs.weights[p, q, : len(keys)]
            reversed_w = (1 - w) / (1 - w).sum()
            query = pairs.queries.fragments[p, q]
            attended, ignored = w @ keys, reversed_w @ keys
            terms.append(max(0.0, 0.3 - cosine(query, attended) + cosine(query, ignored)))
        expected += sum(terms) / len(terms)
    assert ContentResourcing(margin=0.3).loss(pairs, generator()).item() == pytest.approx(expected)


def test_ccr_leaves_out_a_query_that_has_one_key_only(make_fragments: Any) -> None:
    images, texts = make_fragments([1, 1], 1, width=3), make_fragments([2, 3], 2)
    attention = Scan().match(images, texts, None).attentions[0]
    pairs = matched_pairs(attention, torch.arange(2), torch.arange(2), texts, torch.arange(2))
    assert ContentResourcing().loss(pairs, generator()).item() == 0.0


def swapped_cosines(pairs: MatchedPairs, p: int, attended: Tensor) -> list[float]:
    return [
        cosine(other, attended)
        for item in range(4)
        if IMAGE_OF[item] != IMAGE_OF[p]
        for other in pairs.others.fragments[item][pairs.others.mask[item]]
    ]


def test_ccs_with_the_hardest_query_is_its_definition(make_fragments: Any, direction: str) -> None:
    pairs = pairs_of(make_fragments, direction)
    expected = 0.0
    for p in range(4):
        terms = []
        for q in torch.nonzero(pairs.queries.mask[p]).flatten():
            attended = pairs.weights[p, q] @ pairs.keys.fragments[p]
            hardest = max(swapped_cosines(pairs, p, attended))
            terms.append(max(0.0, 0.1 - cosine(pairs.queries.fragments[p, q], attended) + hardest))
        expected += sum(terms) / len(terms)
    assert ContentSwapping(margin=0.1, negatives="hardest").loss(pairs, generator()).item() == pytest.approx(
        expected
    )


def test_ccs_draws_queries_of_other_images_evenly(make_fragments: Any, direction: str) -> None:
    pairs = pairs_of(make_fragments, direction)
    own = generator()
    chosen = torch.stack([ContentSwapping._drawn(pairs, own) for _ in range(400)])
    drawn = pairs.others.fragments.detach().flatten(0, 1)[chosen]
    for p in (0, 3):
        items = [item for item in range(4) if IMAGE_OF[item] != IMAGE_OF[p]]
        found = drawn[:, p].flatten(0, 1)
        seen = 0
        for item in items:
            fragments = pairs.others.fragments[item][pairs.others.mask[item]]
            for fragment in fragments:
                share = (found == fragment).all(1).double().mean().item()
                assert share == pytest.approx(1 / len(items) / len(fragments), abs=0.05)
                seen += int((found == fragment).all(1).sum())
        assert seen == len(found)


def test_ccs_draws_the_same_from_the_same_generator(make_fragments: Any, direction: str) -> None:
    pairs = pairs_of(make_fragments, direction)
    loss = ContentSwapping(negatives="random")
    first, second = (loss.loss(pairs, generator()).item() for _ in range(2))
    assert first == second
    assert loss.loss(pairs, torch.Generator().manual_seed(6)).item() != first


def test_ccs_has_the_same_gradient_whatever_threads_do(make_fragments: Any) -> None:
    """The gradient of an index is summed by threads in no order; a fragment that is drawn often shows it."""
    items, width = 128, 32
    double = make_fragments([width] * items, 1, dimensions=32)
    leaf = double.fragments.float().requires_grad_()  # in double precision torch has another way
    fragments = replace(double, fragments=leaf)
    weights = torch.rand((items, width, width), generator=generator())
    apart = ~torch.eye(items, dtype=torch.bool)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = []
        for _ in range(100):
            pairs = MatchedPairs(fragments, fragments, weights, fragments, apart, torch.arange(items))
            loss = ContentSwapping(negatives="random").loss(pairs, generator())
            found.append(torch.autograd.grad(loss, leaf)[0])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, found[0]) for one in found)


@pytest.mark.parametrize("negatives", ["hardest", "random"])
def test_ccs_of_a_batch_of_one_image_costs_nothing(make_fragments: Any, negatives: Any) -> None:
    pairs = pairs_of(make_fragments, "t2i", image_of=torch.zeros(4, dtype=torch.long))
    loss = ContentSwapping(negatives=negatives).loss(pairs, generator())
    loss.backward()
    assert loss.item() == 0.0
