"""The power plan of a report: what its design finds, and what more seeds would, from its own variance."""

from __future__ import annotations

from collections.abc import Sequence

from crosscut_reports.estimate import Components
from crosscut_reports.power import Parts, differences, of_components, pooled, power, seeds_needed
from crosscut_reports.result import ContrastResult, Design, PowerPlan, PowerPoint, Scope

SEEDS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 30)
WANTED = 0.8


def of_results(results: Sequence[ContrastResult], design: Design) -> PowerPlan | None:
    """The plan of a typical declared contrast on the primary metric, or of a typical exploratory one where nothing
    is declared; None where no contrast tells how seeds vary."""
    chosen = typical(results, design)
    if not chosen:
        return None
    parts = spread(chosen)
    if parts.sd_seed == parts.sd_residual == 0:
        return None
    return plan(
        parts,
        metric=design.primary,
        clusters=design.clusters,
        scope=design.scope,
        alpha=design.alpha,
        family=max(one.family for one in chosen) or 1,
        contrasts=len(chosen),
        present=design.seeds,
    )


def typical(results: Sequence[ContrastResult], design: Design) -> list[ContrastResult]:
    """The contrasts on the primary metric that a plan is made from: the declared ones, else all. Empty where none
    tells how seeds vary."""
    own = [one for one in results if one.metric == design.primary and one.sd_seed is not None]
    return [] if design.scope == "queries" else [one for one in own if one.declared] or own


def spread(chosen: Sequence[ContrastResult]) -> Parts:
    """The spread of a typical one of contrasts that tell how seeds vary."""
    found = [of_components(Components(one.sd_seed, one.sd_query, one.sd_residual)) for one in chosen]
    return pooled(one for one in found if one is not None)


def plan(
    parts: Parts,
    *,
    metric: str,
    clusters: int | None,
    scope: Scope,
    alpha: float,
    family: int = 1,
    contrasts: int = 1,
    present: int | None = None,
    seeds: Sequence[int] = SEEDS,
    sizes: Sequence[float] = (),
    wanted: float = WANTED,
) -> PowerPlan:
    """Power for each difference and number of seeds, and the seeds that each difference needs.

    `sizes` are differences in points; by default a few that the fewest to the most of the seeds detect. `present`
    is a number of seeds to have among them. Without clusters the metric is known per run only.
    """
    counts = sorted({*seeds, *([] if present is None or present < 2 else [present])})
    queries = clusters or 1
    asked = sizes or differences(parts, counts, queries, alpha=alpha, scope=scope, family=family)
    needed = [
        seeds_needed(parts, queries, size, wanted, alpha=alpha, scope=scope, family=family, fewest=2)
        for size in asked
    ]
    return PowerPlan(
        metric=metric,
        alpha=alpha,
        family=family,
        scope=scope,
        clusters=clusters,
        wanted=wanted,
        sd_seed=parts.sd_seed,
        sd_query=parts.sd_query,
        sd_residual=parts.sd_residual,
        contrasts=contrasts,
        points=tuple(
            PowerPoint(
                count,
                clusters,
                size,
                power(parts, count, queries, size, alpha=alpha, scope=scope, family=family),
            )
            for size in asked
            for count in counts
        ),
        needed=tuple((size, one.count, one.never) for size, one in zip(asked, needed, strict=True)),
    )
