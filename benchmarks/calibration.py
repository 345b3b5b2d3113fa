"""Errors and coverage that the statistics promise, measured by simulation.

    python benchmarks/calibration.py            # some 3 minutes on one core
    python benchmarks/calibration.py --draws 20000

Three tables. The first is of the default scope: every row simulates a difference of two arms under new seeds and
new queries: S seeds, Q queries, either each its own cluster or five to a cluster (captions of one image).
Gaussian scores have seed, query and residual deviations of .01, .2 and .3. Binary scores are hits of a latent
normal score of two arms. Beside the closed form stand the t test over queries that most papers print, which takes
queries for independent and trained models for fixed, and the t test over seeds, which takes the queries for fixed.

The second is of families of contrasts without an effect, which share a baseline and queries: any error of the
family, without an adjustment, by Holm, and by step-down maxT over joint sign flips where models are fixed. The
third is of seeds that are added until decided: how often the test that may be looked at after every seed ever
errs, where testing anew each time does; and the seeds that it takes, beside a number fixed so that the power is
80%.

A share of 5% of n draws has a standard error of √(.05·.95/n): ±.0034 at 4,000.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from crosscut_reports import closed_form, query_scope
from crosscut_reports.adjustment import holm
from crosscut_reports.closed_form import moments
from crosscut_reports.max_t import step_down
from crosscut_reports.power import Parts, seeds_needed
from crosscut_reports.sequential import follow, log_e

Array = NDArray[np.float64]

LEVEL = 0.95
CAPTIONS = 5
SEED_SD, QUERY_SD, RESIDUAL_SD = 0.01, 0.2, 0.3
LATENT_SEED_SD, LATENT_ARM_SD, LATENT_RUN_SD = 0.03, 0.4, 0.6
LATENT_SHIFT = 0.1
_BATCH_ENTRIES = 500_000
METHODS = ("closed form", "t over queries", "t over seeds")


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    seeds: int
    queries: int
    binary: bool
    clustered: bool

    @property
    def per_cluster(self) -> int:
        """Queries in a cluster."""
        return CAPTIONS if self.clustered else 1


def _query_effects(draw: np.random.Generator, setting: Setting, shape: tuple[int, ...]) -> Array:
    """Unit-variance effects (…, queries); in clusters, half of the variance is the cluster's."""
    own: Array = draw.standard_normal((*shape, setting.queries))
    if not setting.clustered:
        return own
    shared = draw.standard_normal((*shape, setting.queries // CAPTIONS))
    return (own + np.repeat(shared, CAPTIONS, axis=-1)) / sqrt(2)


def gaussian(draw: np.random.Generator, setting: Setting, draws: int) -> Array:
    """(draws, seeds, queries) of a contrast whose true value is 0."""
    S = setting.seeds
    D: Array = RESIDUAL_SD * draw.standard_normal((draws, S, setting.queries))
    D += SEED_SD * draw.standard_normal((draws, S, 1))
    D += QUERY_SD * _query_effects(draw, setting, (draws, 1))
    return D


def binary(draw: np.random.Generator, setting: Setting, draws: int, shift: float) -> tuple[Array, float]:
    """(draws, seeds, queries) of hits of one arm less those of another, and its true value.

    An arm's latent score of a query is normal with the variance 1 + seed + arm + run, so that the true hit
    rate is a normal tail.
    """
    S = setting.seeds
    query = _query_effects(draw, setting, (draws, 1))

    def hits(threshold: float) -> Array:
        latent = LATENT_RUN_SD * draw.standard_normal((draws, S, setting.queries))
        latent += LATENT_SEED_SD * draw.standard_normal((draws, S, 1))
        latent += query + LATENT_ARM_SD * _query_effects(draw, setting, (draws, 1))
        return (latent + threshold > 0).astype(np.float64)

    total = sqrt(1 + LATENT_SEED_SD**2 + LATENT_ARM_SD**2 + LATENT_RUN_SD**2)
    truth = 100 * float(ndtr(shift / total) - ndtr(0))
    return 100 * (hits(shift) - hits(0.0)), truth


def covered(D: Array, setting: Setting, truth: float) -> Array:
    """(methods,) how many draws have the truth inside the interval of each method."""
    draws, S, Q = D.shape
    clusters = D.reshape(draws, S, Q // setting.per_cluster, setting.per_cluster).mean(axis=3)
    found = moments(clusters)
    error = np.abs(found.estimate - truth)
    seed = found.seed_variance / S
    variance = seed + np.maximum(found.query_covariance, 0) / clusters.shape[2]
    quantile = 0.5 + LEVEL / 2
    # Binary scores can give all seeds one mean, which leaves a normal quantile.
    df = variance**2 / np.maximum(seed**2 / (S - 1), 1e-12 * variance**2)
    half = stdtrit(df, quantile) * np.sqrt(variance)
    naive = stdtrit(Q - 1, quantile) * np.sqrt(D.mean(axis=1).var(axis=1, ddof=1) / Q)
    seeds = stdtrit(S - 1, quantile) * np.sqrt(seed)
    return np.array([(error <= bound).sum() for bound in (half, naive, seeds)], dtype=np.float64)


def simulate(setting: Setting, draws: int, seed: int) -> tuple[Array, Array]:
    """(type I error, coverage) of each method, as shares of the draws."""
    kinds = (setting.seeds, setting.queries, int(setting.binary), int(setting.clustered))
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *kinds])))
    batch = max(1, _BATCH_ENTRIES // (setting.seeds * setting.queries))
    kept, inside = np.zeros(len(METHODS)), np.zeros(len(METHODS))
    for start in range(0, draws, batch):
        size = min(batch, draws - start)
        if setting.binary:
            kept += covered(binary(draw, setting, size, 0.0)[0], setting, 0.0)
            D, truth = binary(draw, setting, size, LATENT_SHIFT)
            inside += covered(D, setting, truth)
        else:
            # All three intervals move with the scores, so the true value does not matter.
            kept += covered(gaussian(draw, setting, size), setting, 0.0)
    return 1 - kept / draws, (inside if setting.binary else kept) / draws


def table(draws: int, seed: int) -> str:
    """The Markdown table of all settings."""
    head = [f"{what}, {method}" for what in ("type I", "coverage") for method in METHODS]
    lines = [
        f"| S | Q | scores | clusters | {' | '.join(head)} |",
        f"|---|---|---|---|{'---|' * len(head)}",
    ]
    for S, Q, is_binary, clustered in product((3, 5, 10), (500, 5000), (False, True), (False, True)):
        setting = Setting(S, Q, is_binary, clustered)
        figures = " | ".join(f"{share:.3f}" for shares in simulate(setting, draws, seed) for share in shares)
        kind, size = "binary" if is_binary else "Gaussian", "of 5" if clustered else "of 1"
        lines.append(f"| {S} | {Q} | {kind} | {size} | {figures} |")
    return "\n".join(lines)


def families(draws: int, seed: int) -> str:
    """The Markdown table of familywise errors: contrasts with one baseline, none of which has an effect."""
    lines = [
        "| scope | contrasts | S | Q | unadjusted | Holm | step-down maxT |",
        "|---|---|---|---|---|---|---|",
    ]
    for contrasts in (3, 10):
        draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, contrasts])))
        wrong = np.zeros(3)
        for _ in range(draws):
            arms = draw.standard_normal((contrasts + 1, 5, 1)) + 8 * draw.standard_normal(
                (contrasts + 1, 5, 200)
            )
            D = (arms + 10 * draw.standard_normal((1, 1, 200)))[1:] - arms[:1]
            p = np.array([closed_form.contrast(one).p for one in D], dtype=np.float64)
            wrong[:2] += [(p < 0.05).any(), (holm(p) < 0.05).any()]
        shares = [*(f"{share:.3f}" for share in wrong[:2] / draws), "–"]
        lines.append(f"| new seeds and new queries | {contrasts} | 5 | 200 | {' | '.join(shares)} |")
        wrong[:] = 0
        few = max(1, draws // 2)
        for _ in range(few):
            d = 8 * draw.standard_normal((contrasts, 60)) + 8 * draw.standard_normal((1, 60))
            p = query_scope.sign_flips(d, draws=499)
            adjusted = step_down(d, draws=499).adjusted
            wrong += [(p < 0.05).any(), (holm(p) < 0.05).any(), (adjusted < 0.05).any()]
        shares = [f"{share:.3f}" for share in wrong / few]
        lines.append(f"| these trained models | {contrasts} | 1 | 60 | {' | '.join(shares)} |")
    return "\n".join(lines)


def _looked_at(r: Array, first: int) -> tuple[Array, Array]:
    """(draws, looks) t statistics after each seed from `first` on, and the numbers of seeds."""
    counts = np.arange(1, r.shape[1] + 1)
    means = r.cumsum(axis=1) / counts
    squares = (r**2).cumsum(axis=1) - counts * means**2
    with np.errstate(divide="ignore", invalid="ignore"):
        t = means / np.sqrt(squares / (counts - 1) / counts)
    return t[:, first - 1 :], counts[first - 1 :].astype(np.float64)


def added(draws: int, seed: int) -> str:
    """The Markdown table of seeds that are added until decided."""
    draw = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 3])))
    t, counts = _looked_at(draw.standard_normal((draws, 60)), 3)
    e = np.stack([log_e(t[:, place], int(n)) for place, n in enumerate(counts)], axis=1)
    valid = (e >= np.log(20)).any(axis=1).mean()
    naive = (np.abs(t[:, :18]) > stdtrit(counts[:18] - 1, 0.975)).any(axis=1).mean()
    lines = [
        "| effect, in sd over seeds | seeds | ever better or worse | testing anew each time | median seeds "
        "| fixed, power .8 |",
        "|---|---|---|---|---|---|",
        f"| 0 | up to 60 (anew: 20) | {valid:.3f} | {naive:.3f} | – | – |",
    ]
    for size in (1.0, 2.0):
        t, counts = _looked_at(size + draw.standard_normal((draws, 100)), 3)
        e = np.stack([log_e(t[:, place], int(n)) for place, n in enumerate(counts)], axis=1)
        crossed = e >= np.log(20)
        stopped = np.where(crossed.any(axis=1), counts[crossed.argmax(axis=1)], np.inf)
        fixed = seeds_needed(Parts(1.0), 1, size, scope="seeds", fewest=2).count
        share = f"{crossed.any(axis=1).mean():.3f}"
        lines.append(f"| {size:g} | up to 100 | {share} | – | {np.median(stopped):g} | {fixed} |")
    few = max(1, draws // 10)
    for size, name in ((0.0, "0, with futility"), (1.0, "1, with futility")):
        found = [
            follow({"r": size + draw.standard_normal(20)}, alpha=0.05, margin=0.0, minimum=3, maximum=20)["r"]
            for _ in range(few)
        ]
        settled = np.mean([course.reason in ("better", "worse") for course in found])
        stopped_at = np.median([course.round for course in found])
        lines.append(f"| {name} | up to 20 | {settled:.3f} | – | {stopped_at:g} | – |")
    return "\n".join(lines)


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000, help="simulated studies a row (default: 4000)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generator (default: 1)")
    asked = parser.parse_args()
    if asked.draws < 1:
        parser.error(f"--draws: found {asked.draws}, expected a positive number")
    print(f"{asked.draws} draws a row, seed {asked.seed}, nominal type I .05 and coverage {LEVEL}.\n")
    print(table(asked.draws, asked.seed))
    print("\nFamilies without an effect, nominal .05:\n")
    print(families(asked.draws, asked.seed))
    print("\nSeeds added until decided, nominal .05:\n")
    print(added(asked.draws, asked.seed))


if __name__ == "__main__":
    main()
