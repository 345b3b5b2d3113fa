"""How long a report takes: its statistics and its files, against a permutation test of every contrast.

    python benchmarks/report_speed.py [--repeats 3] [--clusters 300 5000]

Six arms (three constraints on each of two backbones), five seeds, ten metrics with a score per cluster. The
alternative is `scipy.stats.permutation_test` of one contrast's cluster means with 10,000 resamples, measured in
the same run and multiplied by the number of contrasts of the report; it takes the trained models for fixed, so
it also answers a smaller question. Fewer resamples are not scaled up: with few clusters most of a small test is
overhead, and the product would be too long. Prints Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import product
from statistics import median
from typing import TypeVar

import numpy as np
from machine import machine
from numpy.typing import NDArray
from scipy.stats import permutation_test

from crosscut_reports.analysis import analyse
from crosscut_reports.context import Context
from crosscut_reports.question import Question
from crosscut_reports.render import write
from crosscut_reports.scores import MetricScores, Scores

Array = NDArray[np.float64]
T = TypeVar("T")

BACKBONES, CONSTRAINTS, SEEDS = ("scan-t2i", "scan-i2t"), ("none", "ccr", "ccr+ccs"), 5
METRICS = ("test/rsum", *(f"test/{way}_r{k}" for way in ("i2t", "t2i") for k in (1, 5, 10)), "a", "b", "c")
RESAMPLES = 10_000
_BATCH_ENTRIES = 5_000_000
"""Resampled scores that are held at once, 40 MB; with a tenth of it the test takes more than twice as long."""


def draw(clusters: int, seed: int) -> Scores:
    """Gaussian scores with effects of arms, seeds and clusters."""
    generator = np.random.default_rng([seed, clusters])
    levels = {f"{b}, {c}": {"backbone": b, "constraints": c} for b, c in product(BACKBONES, CONSTRAINTS)}
    arms, labels = tuple(levels), tuple(str(cluster) for cluster in range(clusters))

    def metric(name: str) -> MetricScores:
        values = generator.normal(60, 20, (1, 1, clusters)) + generator.normal(0, 2, (len(arms), 1, 1))
        values = values + generator.normal(0, 1, (len(arms), SEEDS, 1))
        values = values + generator.normal(0, 30, (len(arms), SEEDS, clusters))
        return MetricScores(name, values, labels, queries=5 * clusters)

    seeds = tuple(str(number) for number in range(SEEDS))
    return Scores(arms, levels, seeds, {name: metric(name) for name in METRICS})


def timed(repeats: int, what: Callable[[], T]) -> tuple[float, T]:
    """Median seconds of `repeats` calls, and what the last one gave."""
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        given = what()
        seconds.append(time.perf_counter() - begun)
    return median(seconds), given


def permuted(scores: Scores, seed: int) -> float:
    """p of the first arm against the second on the primary metric: signs of cluster differences are flipped."""
    first, second = scores.metrics[METRICS[0]].values[:2].mean(axis=1)

    def difference(x: Array, y: Array, axis: int) -> Array:
        means: Array = (x - y).mean(axis=axis)
        return means

    found = permutation_test(
        (first, second),
        difference,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        batch=max(1, _BATCH_ENTRIES // first.size),
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def row(clusters: int, repeats: int, seed: int) -> str:
    """One row of the table."""
    scores = draw(clusters, seed)
    question = Question(
        primary=METRICS[0],
        margin=1.0,
        baseline=scores.arms[0],
        hypotheses=({"constraints": "ccr vs none"}, {"constraints": "ccr+ccs vs none"}),
    )
    analysing, result = timed(repeats, lambda: analyse(scores, question, Context("speed")))
    with tempfile.TemporaryDirectory(prefix="crosscut-report-") as folder:
        rendering, _ = timed(repeats, lambda: write(result, folder))
    permuting, _ = timed(repeats, lambda: permuted(scores, seed))
    contrasts = len(result.contrasts)
    undecided = sum(contrast.verdict == "undecided" for contrast in result.contrasts)
    scaled = permuting * contrasts
    figures = f"{analysing:.3f} | {rendering:.2f} | {permuting:.3f} | {scaled:.1f}"
    return f"| {clusters} | {contrasts} | {undecided} | {figures} | {scaled / analysing:.0f} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Time of a report.")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each part (default: 3)")
    parser.add_argument("--clusters", type=int, nargs="+", default=[300, 5000], help="(default: 300 5000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the scores (default: 1)")
    asked = parser.parse_args()
    if asked.repeats < 1:
        parser.error(f"--repeats: found {asked.repeats}, expected a positive number")
    if min(asked.clusters) < 2:
        parser.error(f"--clusters: found {min(asked.clusters)}, expected two or more")

    print(machine("numpy", "scipy", "matplotlib"))
    arms = len(BACKBONES) * len(CONSTRAINTS)
    about = f"{arms} arms, {SEEDS} seeds, {len(METRICS)} metrics; {RESAMPLES:,} resamples"
    print(f"{about}; medians of {asked.repeats}.\n")
    head = ["statistics, s", "files, s", "one permutation test, s"]
    head += ["times contrasts, s", "permutation / statistics"]
    print(f"| clusters | contrasts | undecided | {' | '.join(head)} |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    row(2, 1, asked.seed)  # imports what the files need, which a report does once
    for clusters in asked.clusters:
        print(row(clusters, asked.repeats, asked.seed), flush=True)


if __name__ == "__main__":
    main()
