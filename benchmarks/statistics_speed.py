"""How long the statistics of a large report take, against what other libraries would take for them.

    pip install statsmodels ranx
    python benchmarks/statistics_speed.py [--contrasts 48] [--seeds 10] [--queries 25000] [--repeats 3]

A baseline and so many arms, each with its seeds, hits and misses by query. Measured in the same run, each for one
contrast and multiplied by their number, which is the one extrapolation here:

- for new seeds and new queries: the linear model of the differences in statsmodels, with a covariance clustered by
  seed and by query, the nearest that it has;
- for these trained models: `scipy.stats.permutation_test` of the cluster means with 10,000 resamples, which knows
  of no family, and `ranx.compare` with Fisher's randomisation test of one run against another, of one seed.

The whole report is made in a process of its own, which tells its peak memory. Prints Markdown.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from machine import machine
from numpy.typing import NDArray
from scipy.stats import permutation_test

from crosscut_reports import max_t
from crosscut_reports.analysis import analyse
from crosscut_reports.context import Context
from crosscut_reports.contrast import against_arm
from crosscut_reports.measurement import measure
from crosscut_reports.question import Question
from crosscut_reports.render import write
from crosscut_reports.scores import MetricScores, Scores

METRIC = "test/t2i_r1"
FLIPS = 10_000
_BATCH_ENTRIES = 5_000_000
Array = NDArray[np.float64]


def draw(arms: int, seeds: int, queries: int) -> Scores:
    """Hits in percent: queries, arms and seeds differ in how often."""
    generator = np.random.default_rng(7)
    hard = generator.normal(0, 1.2, queries)
    names = tuple(f"arm {place:02d}" for place in range(arms))
    values = np.empty((arms, seeds, queries))
    for arm in range(arms):
        effect = generator.normal(0, 0.05)
        for seed in range(seeds):
            logit = hard + effect + generator.normal(0, 0.03) + generator.logistic(0, 1, queries)
            values[arm, seed] = 100.0 * (logit > 0)
    labels = tuple(map(str, range(queries)))
    metric = MetricScores(METRIC, values, labels, queries)
    levels = {name: {"arm": name} for name in names}
    return Scores(names, levels, tuple(map(str, range(seeds))), {METRIC: metric})


def timed(repeats: int, what: Callable[[], object]) -> float:
    """Median seconds of so many calls."""
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter()
        what()
        seconds.append(time.perf_counter() - begun)
    return median(seconds)


def differences(scores: Scores) -> Array:
    """(seeds, queries) of the second arm and the first."""
    values = scores.metrics[METRIC].values
    return np.asarray(values[1] - values[0])


def linear_model(scores: Scores) -> None:
    """The mean difference with a covariance clustered by seed and by query."""
    from statsmodels.api import OLS

    D = differences(scores)
    groups = np.stack([axis.ravel() for axis in np.indices(D.shape)], axis=1)
    OLS(D.ravel(), np.ones(D.size)).fit(cov_type="cluster", cov_kwds={"groups": groups})


def permuted(scores: Scores) -> None:
    """Sign flips of the cluster means of one contrast."""
    means = differences(scores).mean(axis=0)

    def mean(x: Array, axis: int) -> Array:
        found: Array = x.mean(axis=axis)
        return found

    permutation_test(
        (means,), mean, permutation_type="samples", n_resamples=FLIPS,
        batch=max(1, _BATCH_ENTRIES // means.size), rng=np.random.default_rng(0),
    )  # fmt: skip


def compared(scores: Scores) -> Callable[[], object]:
    """ranx's comparison of two runs, of one seed, on the same queries."""
    from ranx import Qrels, Run, compare

    values = scores.metrics[METRIC].values
    queries = [f"q{place}" for place in range(values.shape[2])]
    qrels = Qrels({query: {"right": 1} for query in queries})
    runs = [
        Run(
            {
                query: {"right": 1.0, "wrong": 0.5} if hit else {"right": 0.5, "wrong": 1.0}
                for query, hit in zip(queries, values[arm, 0], strict=True)
            },
            name=f"arm {arm}",
        )
        for arm in (0, 1)
    ]
    return lambda: compare(qrels, runs, ["hit_rate@1"], stat_test="fisher", n_permutations=FLIPS)


def report(arms: int, seeds: int, queries: int) -> None:
    """Makes a whole report and prints its seconds, and the peak memory of the process before it and after it."""
    scores = draw(arms, seeds, queries)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    question = Question(primary=METRIC, margin=0.5, baseline=scores.arms[0])
    with tempfile.TemporaryDirectory(prefix="crosscut-report-") as folder:
        begun = time.perf_counter()
        written = write(analyse(scores, question, Context("speed")), folder)
        seconds = time.perf_counter() - begun
        print(seconds, len(written), before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Time of the statistics.")
    parser.add_argument("--contrasts", type=int, default=48, help="arms beside the baseline (default: 48)")
    parser.add_argument("--seeds", type=int, default=10, help="(default: 10)")
    parser.add_argument("--queries", type=int, default=25_000, help="each a cluster (default: 25000)")
    parser.add_argument("--repeats", type=int, default=3, help="calls of each part (default: 3)")
    parser.add_argument("--report", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    size = (asked.contrasts + 1, asked.seeds, asked.queries)
    if min(asked.contrasts, asked.queries, asked.repeats) < 1 or asked.seeds < 3:
        parser.error("expected positive numbers, and three seeds or more")
    if asked.report:
        report(*size)
        return

    print(machine("numpy", "scipy", "statsmodels", "ranx"))
    print(f"{size[0]} arms, {asked.seeds} seeds, {asked.queries:,} queries; medians of {asked.repeats}.\n")
    scores = draw(*size)
    contrasts = against_arm(scores.levels, scores.arms[0])
    count = asked.contrasts
    default = timed(asked.repeats, lambda: measure(scores, METRIC, contrasts, None))
    values = scores.metrics[METRIC].values
    means = (values[1:] - values[:1]).mean(axis=1)
    flips = timed(asked.repeats, lambda: max_t.step_down(means, draws=FLIPS))
    linear = timed(1, lambda: linear_model(scores)) * count
    scipys = timed(1, lambda: permuted(scores)) * count
    compare = compared(scores)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ranx, on its own numbers
        compare()  # compiles
        ranxs = timed(1, compare) * count
    arguments = [f"--{name}={value}" for name, value in vars(asked).items() if name != "report"]
    made = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), "--report", *arguments],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, files, before, after = map(float, made.stdout.split())
    print("| what | Crosscut, s | alternative | its time × contrasts, s | times | target |")
    print("|---|---:|---|---:|---:|---|")
    rows = [
        (
            f"{count} contrasts, new seeds and new queries",
            f"{default:.3f}",
            "statsmodels, clustered by seed and query",
            f"{linear:.1f}",
            f"{linear / default:.0f}",
            "< 0.2 s",
        ),
        (
            f"{count} contrasts, step-down maxT, {FLIPS:,} flips",
            f"{flips:.2f}",
            "scipy, one contrast at a time",
            f"{scipys:.0f}",
            f"{scipys / flips:.0f}",
            "< 1.5 s",
        ),
        (
            "the same",
            f"{flips:.2f}",
            "ranx, one seed, one pair at a time",
            f"{ranxs:.0f}",
            f"{ranxs / flips:.0f}",
            "",
        ),
        (f"the whole report, {files:.0f} files", f"{seconds:.1f}", "", "", "", "< 10 s"),
    ]
    for cells in rows:
        print(f"| {' | '.join(cells)} |")
    print(
        f"\nPeak memory of the report: {after:.2f} GiB; scores and imports alone {before:.2f} GiB (target: 2 GiB)."
    )


if __name__ == "__main__":
    main()
