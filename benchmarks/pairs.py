"""All pairs at evaluation: every attention backbone against a bare matrix product and against its definition.

    python benchmarks/pairs.py [--images 1000] [--captions 5000] [--regions 36] [--width 1024] [--threads 2]
    python benchmarks/pairs.py --device cuda --images 5000 --captions 25000    # COCO 5K on a GPU

*Products* are what no exact form can avoid: all regions times all words, without padding, nothing kept; for SGR
and SAF, which learn from every alignment, also attended vectors, the layer that alignments go through, and the
layers of graph reasoning. *Loop* is the definition, one caption at a time against all images: cosines, weights,
attended vectors, cosines with these; it is measured on some captions, evenly apart in the order of length, and
multiplied. Fragments are random, of unit norm, in single precision; captions have 2 words and a Poisson number
of mean 10 more. Every row is a process of its own, whose peak of memory counts inputs and imports too; on a GPU
it is that of its memory. SGR and SAF are measured on a fifth of the images and captions. *bf16* is the same
with `evaluation.precision: bf16`. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from machine import machine
from positive import positive
from torch import Tensor, nn

from crosscut_trainables.assessment import spread
from crosscut_trainables.backbones import BACKBONES
from crosscut_trainables.backbones.backbone import Backbone
from crosscut_trainables.backbones.sgraf import SimilarityReasoning
from crosscut_trainables.backbones.stacked_attention import StackedAttention
from crosscut_trainables.evaluation_options import EvaluationOptions
from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.similarity import CAPTIONS, block_of_images, compared

FORMS: tuple[dict[str, Any], ...] = (
    *({"name": "scan", "direction": "t2i", "pooling": pooling} for pooling in ("mean", "lse", "max", "sum")),
    *({"name": "scan", "direction": "i2t", "pooling": pooling} for pooling in ("mean", "lse")),
    {"name": "scan", "direction": "both"},
    {"name": "bfan", "focus": "equal"},
    {"name": "bfan", "focus": "prob"},
    {"name": "pfan"},
    {"name": "sgr"},
    {"name": "saf"},
)
ROWS = 1024
"""Alignments that are multiplied at once."""
SMALLER = 5
"""By what images and captions are divided where a backbone learns from every alignment."""


def draw(images: int, captions: int, regions: int, width: int, device: str) -> tuple[Fragments, Fragments]:
    """Images without padding, and captions in the order of their length."""
    generator = torch.Generator().manual_seed(0)
    seen = l2norm(torch.randn(images, regions, width, generator=generator))
    lengths = (2 + torch.poisson(torch.full((captions,), 10.0), generator=generator)).sort().values
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    said = l2norm(torch.randn(*mask.shape, width, generator=generator)).mul_(mask[..., None])
    whole = torch.ones(seen.shape[:2], dtype=torch.bool)
    first, second = (
        Fragments(x.to(device), there.to(device), l2norm(x.sum(1)).to(device))
        for x, there in ((seen, whole), (said, mask))
    )
    return first, second


def cut(texts: Fragments, some: slice) -> Fragments:
    """Texts without the padding that none of them needs."""
    width = int(texts.mask[some].sum(1).max())
    return Fragments(texts.fragments[some, :width], texts.mask[some, :width], texts.summary[some])


def products(backbone: Backbone, images: Fragments, texts: Fragments) -> float:
    """Seconds of the bare products."""
    words, regions = texts.fragments[texts.mask], images.fragments.flatten(0, 1)
    begun = now(regions)
    for some in words.split(4096):
        torch.mm(regions, some.T)
    seconds = now(regions) - begun
    if not isinstance(backbone, SimilarityReasoning):
        return seconds
    _, k, d = images.fragments.shape
    narrow = backbone.similarity_width
    sizes = [(ROWS, k), (k, d), (ROWS, d), (d, narrow), (ROWS, narrow), (narrow, narrow)]
    weights, keys, alignments, layer, nodes, square = (torch.randn(*n, device=words.device) for n in sizes)
    layers = 3 * getattr(backbone, "steps", 0)
    begun = now(regions)
    for _ in range(len(images) * len(words) // ROWS):
        torch.mm(weights, keys)
        torch.mm(alignments, layer)
        for _ in range(layers):
            torch.mm(nodes, square)
    return seconds + now(regions) - begun


def now(like: Tensor) -> float:
    """Seconds on a clock, when all that was asked of the tensor's device is done."""
    if like.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter()


def evaluated(backbone: Backbone, parts: nn.Module | None, images: Fragments, texts: Fragments) -> Tensor:
    """(captions, images) in the blocks that an evaluation has."""
    regions, width = images.fragments.shape[1:]
    rows, memory_mb = [], EvaluationOptions().memory_mb
    for first in range(0, len(texts), CAPTIONS):
        some = cut(texts, slice(first, first + CAPTIONS))
        step = block_of_images(backbone, regions, some.mask.shape[1], width, len(some), memory_mb)
        rows.append(compared(backbone, parts, images, some, max(1, step)))
    return torch.cat(rows)


def defined(backbone: Backbone, parts: nn.Module | None, images: Fragments, text: Fragments) -> Tensor:
    """(images,) scores of one caption, as the definition reads."""
    if not isinstance(backbone, StackedAttention):
        return backbone.match(images, text, parts).scores[:, 0]
    scores = []
    words = text.fragments.expand(len(images), -1, -1)
    for direction in backbone.directions:
        keys, queries = (images.fragments, words) if direction == "t2i" else (words, images.fragments)
        cosines = (keys @ queries.transpose(1, 2))[..., None]
        there = torch.ones(keys.shape[:2], dtype=torch.bool, device=keys.device)[..., None, None]
        asked = torch.ones(queries.shape[1], 1, dtype=torch.bool, device=keys.device)
        weights = backbone.rule(direction).weights(cosines, there, asked)[..., 0]
        attended = weights.transpose(1, 2) @ keys
        relevance = (queries * attended).sum(-1) / torch.linalg.vector_norm(attended, dim=-1)
        scores.append(backbone.pooled(relevance.T[None], asked.expand(-1, len(images)), direction)[0])
    return backbone.combined(scores)


def row(asked: argparse.Namespace, options: dict[str, Any]) -> dict[str, float]:
    """What one backbone takes."""
    torch.set_num_threads(asked.threads)
    backbone: Backbone = BACKBONES[options["name"]].model_validate(options)
    smaller = SMALLER if backbone.learns else 1
    torch.manual_seed(0)
    parts = backbone.parts(asked.width)
    if parts is not None:
        parts.to(asked.device).eval()
    sizes = asked.images // smaller, asked.captions // smaller, asked.regions, asked.width
    images, texts = draw(*sizes, asked.device)
    with torch.no_grad():
        cut_texts = cut(texts, slice(0, CAPTIONS))
        backbone.match(images.take(slice(0, 32)), cut_texts, parts)
        bare = [products(backbone, images, texts)]
        own, scores = timed(lambda: evaluated(backbone, parts, images, texts))
        rounded = 0.0
        if backbone.rounds:
            rounded, _ = timed(lambda: evaluated(backbone, parts, images.rounded(), texts.rounded()))
        bare.append(products(backbone, images, texts))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        if texts.mask.is_cuda:
            peak = torch.cuda.max_memory_allocated() / 2**30
        places = list(spread(len(texts), asked.loops))
        singles = [cut(texts, slice(place, place + 1)) for place in places]
        defined(backbone, parts, images, singles[0])
        loop, rows = timed(
            lambda: torch.stack([defined(backbone, parts, images, one) for one in singles]).cpu()
        )
    return {
        "product": min(bare),
        "own": own,
        "bf16": rounded,
        "loop": loop * len(texts) / len(singles),
        "peak": peak,
        "apart": float((scores[places] - rows).abs().max()),
    }


def timed(call: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Seconds of a call, and what it gives."""
    begun = time.perf_counter()
    found = call()
    return time.perf_counter() - begun, found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Similarities of all pairs.")
    parser.add_argument("--images", type=int, default=1000, help="(default: 1000)")
    parser.add_argument("--captions", type=int, default=5000, help="(default: 5000)")
    parser.add_argument("--regions", type=int, default=36, help="of an image (default: 36)")
    parser.add_argument("--width", type=int, default=1024, help="dimensions of a fragment (default: 1024)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument(
        "--loops", type=int, default=20, help="captions that the loop is measured on (default: 20)"
    )
    parser.add_argument("--row", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    positive(parser, asked, "images", "captions", "regions", "width", "threads", "loops")
    if asked.device != "cpu" and not torch.cuda.is_available():
        parser.error(f"--device: found {asked.device}, expected cpu: torch finds no GPU here")
    if asked.row is not None:
        print(json.dumps(row(asked, json.loads(asked.row))))
        return
    print(machine("torch"))
    if asked.device != "cpu":
        print(f"GPU: {torch.cuda.get_device_name()}.")
    sizes = f"{asked.images:,} images, {asked.captions:,} captions, {asked.regions} regions"
    threads = f"{asked.threads} threads; loop measured on {asked.loops} captions"
    print(f"{sizes}, {asked.width} dimensions, {threads}.\n")
    head = [
        "seconds",
        "products, s",
        "seconds / products",
        "loop, s",
        "loop / seconds",
        "peak, GiB",
        "largest difference",
        "bf16, s",
        "loop / bf16",
    ]
    print(f"| backbone | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
    for options in FORMS:
        command = [sys.executable, __file__, *sys.argv[1:], "--row", json.dumps(options)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        own, bare, loop = found["own"], found["product"], found["loop"]
        figures = [f"{own:.1f}", f"{bare:.1f}", f"{own / bare:.2f}", f"{loop:.0f}", f"{loop / own:.0f}"]
        figures += [f"{found['peak']:.2f}", f"{found['apart']:.0e}"]
        rounded = found["bf16"]
        figures += [f"{rounded:.1f}", f"{loop / rounded:.0f}"] if rounded else ["", ""]
        print(f"| {' '.join(str(value) for value in options.values())} | {' | '.join(figures)} |", flush=True)
    if asked.device == "cpu":
        print("\nTarget: at most twice the products, at least 40 times as fast as the loop, below 4 GiB.")
    else:
        print("\nTarget: COCO 5K, 5,000 images and 25,000 captions, in less than 30 s.")


if __name__ == "__main__":
    main()
