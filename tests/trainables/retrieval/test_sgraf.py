"""Similarity reasoning and filtration for all pairs at once, against their definitions pair by pair."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from crosscut_trainables.backbones import BACKBONES, by_length
from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.backbones.sgraf import Saf, SimilarityReasoning
from crosscut_trainables.backbones.similarity_reasoning import (
    AttentionFiltration,
    GraphReasoning,
    Reasoning,
    SelfAttention,
)
from crosscut_trainables.batch_norm import BatchNorm, end_step
from crosscut_trainables.dropout import Dropout, begin_step
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.rows import Rows

WIDTH = 6
PLACES = ([3, 5, 1, 4], [2, 6, 4, 1, 3])
KINDS = ("sgr", "saf", "sgraf")


def unit(x: Tensor) -> Tensor:
    return x / (x.square().sum().sqrt() + 1e-8)


def linear(layer: nn.Linear, x: Tensor) -> Tensor:
    return layer.weight @ x + (0 if layer.bias is None else layer.bias)


def softmax(logits: list[Tensor]) -> list[Tensor]:
    exponentials = [torch.exp(logit) for logit in logits]
    total = torch.stack(exponentials).sum()
    return [e / total for e in exponentials]


def mixed(weights: list[Tensor], vectors: list[Tensor]) -> Tensor:
    return torch.stack([w * x for w, x in zip(weights, vectors, strict=True)]).sum(0)


def normed(norm: BatchNorm | None, x: Tensor, beside: list[Tensor]) -> Tensor:
    """`x`, normalised by the mean and variance of all that stands `beside` it while training."""
    if norm is None:
        return x
    mean, variance = norm.mean, norm.variance
    if norm.training:
        mean = torch.stack(beside).mean(0)
        variance = torch.stack([(y - mean) ** 2 for y in beside]).mean(0)
    return (x - mean) / (variance + 1e-5).sqrt() * norm.scale + norm.shift


def factors(dropout: Dropout, *shape: int) -> Tensor:
    if not dropout.training or dropout.p == 0:
        return torch.ones(shape, dtype=torch.float64)
    drawn = torch.rand(shape, generator=torch.Generator().manual_seed(dropout.seed))
    return (drawn >= dropout.p).double() / (1 - dropout.p)


def direct_wholes(pool: SelfAttention, items: Fragments) -> list[Tensor]:
    """l2norm(Σ_k a_k x_k) of every item, a = softmax of w·(f(x_k) ∘ g(mean x))."""
    present = [x[there] for x, there in zip(items.fragments, items.mask, strict=True)]
    each = [[linear(pool.each, x) for x in item] for item in present]
    whole = [linear(pool.whole, item.mean(0)) for item in present]
    every = [h for item in each for h in item]
    kept_each = factors(pool.drop_each, *items.fragments.shape)
    kept_whole = factors(pool.drop_whole, len(items), items.fragments.shape[2])
    pooled = []
    for i, item in enumerate(present):
        gate = torch.tanh(normed(pool.norm_whole, whole[i], whole)) * kept_whole[i]
        logits = []
        for h, kept in zip(each[i], kept_each[i][items.mask[i]], strict=True):
            logits.append(pool.weigh.weight[0] @ (torch.tanh(normed(pool.norm_each, h, every)) * kept * gate))
        pooled.append(unit(mixed(softmax(logits), list(item))))
    return pooled


def direct_nodes(
    module: Reasoning, regions: Tensor, words: Tensor, image: Tensor, text: Tensor, scale: float
) -> list[Tensor]:
    """x_0 of the wholes, then x_j of every word and what it attends to."""
    cosines = regions @ words.T
    clipped = torch.where(cosines > 0, cosines, 0.1 * cosines)
    raw = torch.stack([row / (row.norm() + 1e-8) for row in clipped])
    nodes = [unit(linear(module.whole, (image - text) ** 2))]
    for j, word in enumerate(words):
        attended = unit(mixed(softmax([scale * s for s in raw[:, j]]), list(regions)))
        nodes.append(unit(linear(module.local, (attended - word) ** 2)))
    return nodes


def direct_graph(module: GraphReasoning, nodes: list[Tensor]) -> Tensor:
    for query, key, out in zip(module.queries, module.keys, module.out, strict=True):
        assert isinstance(query, nn.Linear)
        assert isinstance(key, nn.Linear)
        assert isinstance(out, nn.Linear)
        after = []
        for x in nodes:
            edges = softmax([linear(query, x) @ linear(key, y) for y in nodes])
            after.append(linear(out, mixed(edges, nodes)).clamp(min=0))
        nodes = after
    return nodes[0]


def direct_filtration(module: AttentionFiltration, nodes: list[Tensor], beside: list[Tensor]) -> Tensor:
    """`beside` are the nodes of all images with the same text."""
    seen = [linear(module.weigh, x) for x in beside]
    gates = [torch.sigmoid(normed(module.norm, linear(module.weigh, x), seen)) for x in nodes]
    total = torch.stack(gates).sum()
    return unit(mixed([gate / total for gate in gates], nodes))


def direct_scores(
    backbone: SimilarityReasoning, parts: nn.ModuleDict, images: Fragments, texts: Fragments
) -> Tensor:
    kinds = []
    for module in (parts[kind] for kind in backbone.kinds):
        assert isinstance(module, Reasoning)
        pictures, captions = direct_wholes(module.pool_image, images), direct_wholes(module.pool_text, texts)
        columns = []
        for text, words in enumerate(x[there] for x, there in zip(texts.fragments, texts.mask, strict=True)):
            pairs = [
                direct_nodes(module, x[there], words, pictures[i], captions[text], backbone.temperature)
                for i, (x, there) in enumerate(zip(images.fragments, images.mask, strict=True))
            ]
            beside = [x for nodes in pairs for x in nodes]
            column = []
            for nodes in pairs:
                if isinstance(module.reason, GraphReasoning):
                    made = direct_graph(module.reason, nodes)
                else:
                    assert isinstance(module.reason, AttentionFiltration)
                    made = direct_filtration(module.reason, nodes, beside)
                column.append(torch.sigmoid(linear(module.score, made))[0])
            columns.append(torch.stack(column))
        kinds.append(torch.stack(columns, 1))
    return torch.stack(kinds).mean(0)


def scrambled(module: nn.Module) -> nn.Module:
    """`module` in double precision, with nothing left at 0 or 1 that could hide a term."""
    generator = torch.Generator().manual_seed(7)
    module.double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.7, generator=generator)
    for name, buffer in module.named_buffers():
        buffer.uniform_(0.5 if name.endswith("variance") else -0.5, 1.0, generator=generator)
    begin_step(module, 11)
    return module


def made(kind: str, **options: Any) -> tuple[SimilarityReasoning, nn.ModuleDict]:
    backbone = BACKBONES[kind].model_validate({"similarity_width": 5, **options})
    parts = backbone.parts(WIDTH)
    assert isinstance(backbone, SimilarityReasoning)
    assert isinstance(parts, nn.ModuleDict)
    scrambled(parts)
    return backbone, parts


def assert_same_with_gradients(found: Tensor, expected: Tensor, inputs: list[Tensor]) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)
    weigh = torch.arange(1.0, found.numel() + 1, dtype=torch.float64).view_as(found)
    for one, two in zip(
        torch.autograd.grad((found * weigh).sum(), inputs, retain_graph=True, materialize_grads=True),
        torch.autograd.grad((expected * weigh).sum(), inputs, materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(one, two, rtol=1e-6, atol=1e-8)


@pytest.fixture(params=[16, 2], ids=["one group", "groups"])
def group(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_length, "GROUP", request.param)


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("sgr", {}),
        ("sgr", {"steps": 1, "temperature": 3.0}),
        ("saf", {}),
        ("sgraf", {"steps": 2}),
    ],
    ids=str,
)
def test_scores_and_gradients_are_those_of_the_definition(
    make_fragments: Any, kind: str, options: dict[str, Any], training: bool
) -> None:
    backbone, parts = made(kind, **options)
    parts.train(training)
    images, texts = make_fragments(PLACES[0], 1, width=6), make_fragments(PLACES[1], 2, width=7)
    # Places of padding are no input, so gradients are asked for before it is laid around them.
    inputs = [f.fragments[f.mask].requires_grad_() for f in (images, texts)]
    images, texts = (
        dataclasses.replace(f, fragments=torch.zeros_like(f.fragments).masked_scatter(f.mask[..., None], x))
        for f, x in zip((images, texts), inputs, strict=True)
    )
    assert_same_with_gradients(
        backbone.match(images, texts, parts).scores,
        direct_scores(backbone, parts, images, texts),
        [*inputs, *parts.parameters()],
    )


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("normalised", [True, False], ids=["of images", "of texts"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_one_vector_of_many_fragments_is_that_of_the_definition_wherever_padding_stands(
    make_fragments: Any, normalised: bool, dropout: float, training: bool
) -> None:
    pool = SelfAttention(WIDTH, dropout, normalised)
    scrambled(pool).train(training)
    order = torch.tensor([4, 0, 5, 2, 1, 3])
    tight = make_fragments([3, 5, 1, 6], 1)
    items = Fragments(tight.fragments[:, order], tight.mask[:, order], tight.summary)
    found = pool(items)
    assert_same_with_gradients(found, torch.stack(direct_wholes(pool, items)), list(pool.parameters()))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(found[2], tight.fragments[2, 0])  # one fragment is the whole


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
def test_scores_lie_between_0_and_1(make_fragments: Any, kind: str, training: bool) -> None:
    backbone, parts = made(kind)
    parts.train(training)
    scores = backbone.match(make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2), parts).scores
    assert (scores > 0).all()
    assert (scores < 1).all()
    assert scores.std() > 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("regions", [1, 40])
def test_one_model_takes_any_number_of_regions(make_fragments: Any, kind: str, regions: int) -> None:
    backbone, parts = made(kind)
    images, texts = make_fragments([regions, regions], 1), make_fragments([2, 3], 2)
    scores = backbone.match(images, texts, parts).scores
    torch.testing.assert_close(scores, direct_scores(backbone, parts, images, texts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_caption_is_normalised_with_all_images_and_no_other_caption(make_fragments: Any, kind: str) -> None:
    backbone, parts = made(kind, dropout=0.0)
    images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2)
    scores = backbone.match(images, texts, parts).scores
    for text in range(len(texts)):
        alone = backbone.match(images, texts.take(slice(text, text + 1)), parts).scores
        torch.testing.assert_close(alone[:, 0], scores[:, text])
    fewer = backbone.match(images.take(slice(0, 3)), texts, parts).scores
    assert (fewer - scores[:3]).abs().max() > 1e-3


def test_running_statistics_of_saf_are_the_mean_over_captions_of_what_each_is_normalised_by(
    make_fragments: Any,
) -> None:
    backbone, parts = made("saf", dropout=0.0)
    module = parts["saf"]
    assert isinstance(module, Reasoning)
    assert isinstance(module.reason, AttentionFiltration)
    images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2)
    pictures, captions = direct_wholes(module.pool_image, images), direct_wholes(module.pool_text, texts)
    means, variances = [], []
    for text, words in enumerate(x[there] for x, there in zip(texts.fragments, texts.mask, strict=True)):
        logits = [
            linear(module.reason.weigh, x)
            for i, (regions, there) in enumerate(zip(images.fragments, images.mask, strict=True))
            for x in direct_nodes(module, regions[there], words, pictures[i], captions[text], 9.0)
        ]
        means.append(torch.stack(logits).mean())
        variances.append(torch.stack(logits).var())
    norm = module.reason.norm
    before = norm.mean.clone(), norm.variance.clone()
    backbone.match(images, texts, parts)
    end_step(parts, 1)
    for moved, start, seen in zip((norm.mean, norm.variance), before, (means, variances), strict=True):
        torch.testing.assert_close(moved, 0.9 * start + 0.1 * torch.stack(seen).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_groups_of_captions_change_neither_scores_nor_running_statistics(
    make_fragments: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for size in (16, 2):
        monkeypatch.setattr(by_length, "GROUP", size)
        backbone, parts = made(kind)
        images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2, width=9)
        scores = backbone.match(images, texts, parts).scores
        end_step(parts, 1)
        found.append([scores, backbone.match(images, texts, parts.eval()).scores, *parts.buffers()])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_acts_in_training_alone(make_fragments: Any, kind: str) -> None:
    images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2)
    (backbone, with_dropout), (_, without) = made(kind, dropout=0.4), made(kind, dropout=0.0)
    for training in (True, False):
        one, two = (
            backbone.match(images, texts, parts.train(training)).scores for parts in (with_dropout, without)
        )
        assert torch.equal(one, two) != training


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("first", "last"), [(0, 2), (2, 5), (4, 5)])
def test_a_part_of_the_batch_drops_what_the_whole_batch_drops_there(
    make_fragments: Any, kind: str, first: int, last: int
) -> None:
    backbone, parts = made(kind, dropout=0.4)
    images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2)
    whole = backbone.match(images, texts, parts).scores[:, first:last]
    part = dataclasses.replace(texts.take(slice(first, last)), rows=Rows(first, len(texts)))
    torch.testing.assert_close(backbone.match(images, part, parts).scores, whole)
    begin_step(parts, 12)
    assert (backbone.match(images, part, parts).scores - whole).abs().max() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_words_attend_as_they_do_in_scan(make_fragments: Any, kind: str) -> None:
    backbone, parts = made(kind, temperature=7.0)
    images, texts = make_fragments(PLACES[0], 1), make_fragments(PLACES[1], 2)
    pairs = torch.tensor([0, 1, 3]), torch.tensor([2, 2, 0])
    [attention] = backbone.match(images, texts, parts).attentions
    [scan] = Scan(temperature=7.0).match(images, texts, None).attentions
    assert attention.queries == "words"
    assert torch.equal(attention.of(*pairs)[2], scan.of(*pairs)[2])


def test_the_defaults_are_those_of_the_paper() -> None:
    found = {kind: BACKBONES[kind].model_validate({}).model_dump() for kind in KINDS}
    shared = {"temperature": 9.0, "similarity_width": 256, "dropout": 0.4}
    assert found["saf"] == {"name": "saf", **shared}
    assert found["sgr"] == {"name": "sgr", **shared, "steps": 3}
    assert found["sgraf"] == {"name": "sgraf", **shared, "steps": 3}


def test_numbers_of_a_pair_grow_with_what_is_held() -> None:
    small = Saf(similarity_width=4)
    assert small.floats_per_pair(36, 12, 64) < small.floats_per_pair(36, 13, 64)
    assert small.floats_per_pair(36, 12, 64) < Saf(similarity_width=8).floats_per_pair(36, 12, 64)
