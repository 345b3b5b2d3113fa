"""Stacked cross attention of all pairs of a batch, against its bare products and against its definition.

    python benchmarks/attention.py [--repeats 5] [--threads 2]

*Products* are what no exact form can avoid: all regions times all words, without padding, and with a backward
pass the two products of its gradient as well. The *loop* follows the authors' own code (Lee et al. 2018): one
caption at a time, without its padding, against all images; cosines, weights, attended vectors, cosines with these.
Crosscut's form is what a model trains with, `Scan.match`. All get the same random fragments of unit norm, in
single precision; captions have between half of the words and all of them. Calls alternate; the first of each is
not counted. Errors are against the loop in double precision. Prints Markdown.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import torch
from machine import machine
from torch import Tensor

from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.fragments import Fragments, l2norm

Form = Callable[[Fragments, Fragments], Tensor]


@dataclass(frozen=True)
class Size:
    """A batch of as many images as captions."""

    items: int
    regions: int
    words: int
    dimensions: int

    def __str__(self) -> str:
        parts = (f"{self.items} x {self.items} pairs", f"{self.regions} regions", f"{self.words} words")
        return f"{', '.join(parts)}, D {self.dimensions}"


SIZES = (Size(128, 8, 20, 64), Size(32, 36, 20, 256), Size(128, 36, 16, 1024))
"""The first has the batch and the regions of the quickstart, at twice its D; the last is what was published with
SCAN."""
DIRECTIONS = ("t2i", "i2t", "both")


def direct(direction: str) -> Form:
    """The (images, captions) scores with SCAN's defaults: clipped-l2, λ 9 (t2i) or 4 (i2t), mean."""
    if direction == "both":
        one, other = direct("t2i"), direct("i2t")
        return lambda images, texts: (one(images, texts) + other(images, texts)) / 2

    def scores(images: Fragments, texts: Fragments) -> Tensor:
        columns = []
        for text, there in zip(texts.fragments, texts.mask, strict=True):
            words = text[there].expand(len(images), -1, -1)
            queries, keys, scale = (
                (words, images.fragments, 9.0) if direction == "t2i" else (images.fragments, words, 4.0)
            )
            cosines = torch.nn.functional.leaky_relu(keys @ queries.transpose(1, 2), 0.1)
            weights = torch.softmax(l2norm(cosines).transpose(1, 2) * scale, dim=-1)
            attended = weights @ keys
            # The queries are of unit norm; to divide by it would only add a gradient along them.
            relevance = (queries * attended).sum(-1) / torch.linalg.vector_norm(attended, dim=-1)
            columns.append(relevance.mean(1))
        return torch.stack(columns, 1)

    return scores


def draw(size: Size, generator: torch.Generator) -> tuple[Fragments, Fragments]:
    """Images without padding, and captions of half of the words or more."""
    regions = l2norm(torch.randn(size.items, size.regions, size.dimensions, generator=generator))
    lengths = torch.randint(size.words // 2, size.words + 1, (size.items, 1), generator=generator)
    mask = torch.arange(size.words) < lengths
    words = (
        l2norm(torch.randn(size.items, size.words, size.dimensions, generator=generator)) * mask[..., None]
    )
    images = Fragments(regions, torch.ones(regions.shape[:2], dtype=torch.bool), l2norm(regions.sum(1)))
    return images, Fragments(words, mask, l2norm(words.sum(1)))


def products(images: Fragments, texts: Fragments, backward: bool) -> None:
    """The bare products."""
    regions, words = images.fragments.flatten(0, 1), texts.fragments[texts.mask]
    cosines = regions @ words.T
    if backward:
        cosines @ words
        cosines.T @ regions


def forward(form: Form, images: Fragments, texts: Fragments) -> list[Tensor]:
    """The scores."""
    with torch.no_grad():
        return [form(images, texts)]


def both_ways(form: Form, images: Fragments, texts: Fragments) -> list[Tensor]:
    """The scores, and the gradients of a weighted sum of them to regions and words."""
    inputs = [f.fragments.clone().requires_grad_() for f in (images, texts)]
    scores = form(
        Fragments(inputs[0], images.mask, images.summary), Fragments(inputs[1], texts.mask, texts.summary)
    )
    scale = torch.linspace(-1, 1, scores.numel()).view_as(scores)
    gradients = torch.autograd.grad((scores * scale).sum(), inputs)
    # Padding is no input, so what its gradient says does not count.
    return [scores.detach(), gradients[0], gradients[1] * texts.mask[..., None]]


def compare(size: Size, direction: str, repeats: int, seed: int) -> list[str]:
    """Two rows of the table."""
    images, texts = draw(size, torch.Generator().manual_seed(seed))
    batched = Scan.model_validate({"direction": direction})
    forms: tuple[Form, Form] = (lambda i, t: batched.match(i, t, None).scores, direct(direction))
    rows = []
    for name, way in (("forward", forward), ("forward and backward", both_ways)):
        seconds: list[list[float]] = [[], [], []]
        found: list[list[Tensor]] = [[], []]
        for repeat in range(repeats + 1):
            begun = [time.perf_counter()]
            products(images, texts, way is both_ways)
            begun.append(time.perf_counter())
            for which, form in enumerate(forms):
                found[which] = way(form, images, texts)
                begun.append(time.perf_counter())
            if repeat > 0:
                for taken, (first, last) in zip(seconds, pairwise(begun), strict=True):
                    taken.append(last - first)
        bare, own, loop = (median(taken) for taken in seconds)
        exact = way(forms[1], *(replace(f, fragments=f.fragments.double()) for f in (images, texts)))
        apart = [float((one - other).abs().max()) for one, other in zip(found[0], exact, strict=True)]
        relative = [gap / float(g.abs().max()) for gap, g in zip(apart[1:], exact[1:], strict=True)]
        gradients = f"{max(relative):.1e}" if relative else ""
        figures = [f"{1e3 * own:.1f}", f"{1e3 * bare:.1f}", f"{own / bare:.2f}", f"{1e3 * loop:.1f}"]
        figures += [f"{loop / own:.1f}", f"{apart[0]:.1e}", gradients]
        rows.append(f"| {direction} | {size} | {name} | {' | '.join(figures)} |")
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Speed of stacked cross attention.")
    parser.add_argument("--repeats", type=int, default=5, help="counted calls of each form (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the fragments (default: 1)")
    parser.add_argument(
        "--items", type=int, help="images and captions of every batch, in place of the table's"
    )
    asked = parser.parse_args()
    for name in ("repeats", "threads", "items"):
        value = getattr(asked, name)
        if value is not None and value < 1:
            parser.error(f"--{name}: found {value}, expected a positive number")

    torch.set_num_threads(asked.threads)
    print(machine("torch"))
    print(f"Threads {asked.threads}, medians of {asked.repeats}.\n")
    head = ["ms", "products, ms", "ms / products", "loop, ms", "loop / ms", "largest error of scores"]
    head += ["of gradients, as a share of the largest"]
    print(f"| direction | batch | pass | {' | '.join(head)} |\n|---|---|---|{'---:|' * len(head)}")
    for size in dict.fromkeys(replace(size, items=asked.items or size.items) for size in SIZES):
        for direction in DIRECTIONS:
            print("\n".join(compare(size, direction, asked.repeats, asked.seed)), flush=True)
    print(
        "\nTarget, forward and backward: at most 4 times the products, at least 10 times as fast as the loop."
    )


if __name__ == "__main__":
    main()
