"""How far the default data set is learnt, epoch by epoch: dev rsum of a few backbones beside chance and 600.

    python benchmarks/learning_curve.py [--epochs 15] [--seed 1] [--data '{"name": "digit-scenes"}']

Prints a Markdown table. The schedule of the learning rate does not depend on the number of epochs, so that a
row is also the last dev rsum of a run of that many epochs.
"""

from __future__ import annotations

import argparse
import json
import time
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.data.split import Split
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession

BACKBONES: dict[str, dict[str, Any]] = {
    "scan t2i": {"name": "scan", "direction": "t2i"},
    "scan i2t": {"name": "scan", "direction": "i2t"},
    "vse++": {"name": "vse++"},
}
PERFECT = 600


def chance(split: Split) -> float:
    """Expected rsum of a random order without ties.

    A text finds its image among the first K of N with probability K/N. An image with c of C captions finds
    one of them among the first K with probability 1 - C(C-c, K)/C(C, K).
    """
    images, captions = split.regions.shape[0], len(split.captions)
    own = np.bincount(split.image_of, minlength=images)
    total = 0.0
    for k in (1, 5, 10):
        missed = [comb(captions - int(c), min(k, captions)) / comb(captions, min(k, captions)) for c in own]
        total += 100 * min(k / images, 1) + 100 * (1 - sum(missed) / images)
    return total


def curve(
    backbone: dict[str, Any], data: dict[str, Any], epochs: int, seed: int
) -> tuple[list[float], float]:
    """Dev rsum after every epoch, and the seconds of the whole run."""
    session = MemorySession(seed=seed, phase="search")
    started = time.perf_counter()
    train({"data": data, "backbone": backbone, "training": {"epochs": epochs}}, session)
    return [metrics["dev/rsum"] for _, metrics in session.reports], time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description="Dev rsum per epoch as a Markdown table.")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=json.loads, default={"name": "digit-scenes"}, help="options, as JSON")
    parser.add_argument("--picture", type=Path, help="write the curves into this SVG file as well")
    arguments = parser.parse_args()

    dev = RetrievalConfig.model_validate({"data": arguments.data}).data.load("dev")
    at_random = chance(dev)
    curves, seconds = {}, {}
    for name, backbone in BACKBONES.items():
        curves[name], seconds[name] = curve(backbone, arguments.data, arguments.epochs, arguments.seed)

    print(f"Dev rsum, {dev.regions.shape[0]} images, {len(dev.captions)} captions, seed {arguments.seed}\n")
    print("| epoch | " + " | ".join(curves) + " | chance | perfect |")
    print("|---:" * (len(curves) + 3) + "|")
    for epoch in range(arguments.epochs):
        cells = [f"{values[epoch]:.1f}" for values in curves.values()]
        print(f"| {epoch + 1} | " + " | ".join(cells) + f" | {at_random:.1f} | {PERFECT} |")
    print("| seconds | " + " | ".join(f"{value:.1f}" for value in seconds.values()) + " | | |")
    if arguments.picture:
        draw(curves, at_random, arguments.picture)


def draw(curves: dict[str, list[float]], at_random: float, path: Path) -> None:
    """The curves as a picture, with chance and the perfect score as lines."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    colours = ("#0072B2", "#D55E00", "#009E73")
    for (name, values), colour, marker in zip(curves.items(), colours, "os^", strict=True):
        axes.plot(range(1, len(values) + 1), values, color=colour, marker=marker, markersize=4, label=name)
    for level, text in ((at_random, "chance"), (PERFECT, "perfect")):
        axes.axhline(level, color="#777777", linestyle=":", linewidth=1)
        axes.annotate(
            text, (1, level), xytext=(0, 3), textcoords="offset points", color="#555555", fontsize=8
        )
    axes.set(xlabel="epoch", ylabel="dev rsum", ylim=(0, 640))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc=(0.78, 0.58))
    with rc_context({"svg.hashsalt": "crosscut", "svg.fonttype": "path"}):
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
