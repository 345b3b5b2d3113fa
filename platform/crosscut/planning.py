"""The planning of a study: the spread that a pilot shows, and what it takes to find a difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosscut import publication
from crosscut.errors import InputError
from crosscut_reports.power import (
    Needed,
    Parts,
    clusters_needed,
    seed_interval,
    seeds_needed,
)
from crosscut_reports.power_plan import SEEDS, plan, spread, typical
from crosscut_reports.result import PowerPlan, Scope

LEVEL = 0.8
"""Level of the interval of a pilot's spread over seeds."""


@dataclass(frozen=True)
class Asked:
    """What the command line asks; None leaves a thing to the pilot."""

    differences: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    queries: int | None = None
    metric: str | None = None
    baseline: str | None = None
    wanted: float = 0.8
    alpha: float | None = None
    family: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.wanted < 1:
            raise InputError.unexpected("--power", "", self.wanted, "a number between 0 and 1")
        if self.alpha is not None and not 0 < self.alpha < 0.5:
            raise InputError.unexpected("--alpha", "", self.alpha, "a number between 0 and 0.5")
        for size in self.differences:
            if not 0 < size < float("inf"):
                raise InputError.unexpected("--difference", "", size, "a positive number of points")


@dataclass(frozen=True)
class Planned:
    """A plan with what is to be said beside its table."""

    plan: PowerPlan
    notes: tuple[str, ...] = ()


def whole_numbers(text: str | None) -> tuple[int, ...]:
    """`3,5,10` as numbers of seeds. Raises InputError."""
    if text is None:
        return ()
    try:
        found = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < 2:
        raise InputError.unexpected("--seeds", "", text, "numbers of at least 2, such as 3,5,10")
    return found


def one_basis() -> InputError:
    """There must be a pilot or a spread, and not both."""
    return InputError("power: found no one basis, expected either a pilot (DIR or TABLE) or --sd-seed")


def from_spreads(sd_seed: float, sd_query: float, sd_residual: float, asked: Asked) -> Planned:
    """The plan for given standard deviations. Raises InputError for one that is no number from 0."""
    try:
        parts = Parts(sd_seed, sd_query, sd_residual)
    except ValueError as error:
        raise InputError(f"--{str(error).replace('_', '-')}") from error
    if not any((sd_seed, sd_query, sd_residual)):
        raise InputError("--sd-seed: found 0, expected something that varies")
    if (sd_query or sd_residual) and asked.queries is None:
        raise InputError("--queries: this is missing; a spread over queries needs their number")
    made = plan(
        parts,
        metric=asked.metric or "the metric",
        clusters=asked.queries,
        scope="seeds" if asked.queries is None else "seeds-and-queries",
        alpha=asked.alpha or 0.05,
        family=asked.family or 1,
        contrasts=0,
        seeds=asked.seeds or SEEDS,
        sizes=asked.differences,
        wanted=asked.wanted,
    )
    return Planned(made, tuple(_queries(made, parts)))


def from_pilot(source: str, asked: Asked) -> Planned:
    """The plan from a pilot's own contrasts.

    Raises:
        InputError: it cannot be read, has one arm, or too few seeds to tell how they vary.
    """
    wishes = publication.Wishes(baseline=asked.baseline, metric=asked.metric, alpha=asked.alpha)
    result = publication.analysed(source, wishes)
    design = result.design
    chosen = typical(result.contrasts, design)
    if not chosen:
        raise InputError(
            f"{source}: found {design.seeds} seeds, too few to tell how {design.primary} varies over them, "
            "expected three or more"
        )
    parts, clusters = spread(chosen), asked.queries or design.clusters
    if not any((parts.sd_seed, parts.sd_query, parts.sd_residual)):
        raise InputError(
            f"{source}: no contrast on {design.primary} varies, so there is nothing to plan from"
        )
    scope: Scope = design.scope if design.clusters else "seeds"
    made = plan(
        parts,
        metric=design.primary,
        clusters=clusters if design.clusters else None,
        scope=scope,
        alpha=asked.alpha or design.alpha,
        family=asked.family or max(one.family for one in chosen) or 1,
        contrasts=len(chosen),
        present=None if asked.seeds else design.seeds,
        seeds=asked.seeds or SEEDS,
        sizes=asked.differences,
        wanted=asked.wanted,
    )
    uncertain = _uncertain(made, parts, min(one.seeds for one in chosen), design.clusters or 1)
    return Planned(made, (*uncertain, *_queries(made, parts)))


def draw(made: PowerPlan, path: Path) -> Path:
    """Write the curve. Raises InputError where the file cannot be written or is to be no SVG."""
    from matplotlib import style

    from crosscut_reports.render.figures import power as figure
    from crosscut_reports.render.figures.drawing import STYLE, svg

    if path.suffix != ".svg":
        raise InputError.unexpected("--out", "", str(path), "a file that ends in .svg")
    with style.context(["default", STYLE]):
        text = svg("power", "Power against seeds", figure.of_plan(made))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--out: {str(path)!r} cannot be written ({error.strerror})") from error
    return path


def _facts(made: PowerPlan) -> dict[str, Any]:
    return {"alpha": made.alpha, "scope": made.scope, "family": made.family}


def _uncertain(made: PowerPlan, parts: Parts, seeds: int, clusters: int) -> list[str]:
    """What the seeds of the pilot leave open of each difference's number of seeds."""
    ends = seed_interval(parts, seeds, clusters, LEVEL)
    told = []
    for size, _, _ in made.needed:
        low, high = (
            seeds_needed(end, made.clusters or 1, size, made.wanted, fewest=2, **_facts(made)) for end in ends
        )
        told.append(f"{size:g} points: {_text(low)} to {_text(high)}")
    return [
        f"The pilot has {seeds} seeds, so its spread over seeds is uncertain: within its {100 * LEVEL:g}% "
        f"interval the seeds needed are {'; '.join(told)}."
    ]


def _queries(made: PowerPlan, parts: Parts) -> list[str]:
    """Where no number of seeds is enough: how many clusters would be, with ten seeds."""
    never = [size for size, _, hopeless in made.needed if hopeless]
    if made.clusters is None or not never:
        return []
    needed = [clusters_needed(parts, 10, size, made.wanted, **_facts(made)) for size in never]
    told = [f"{size:g} points: {_text(one)}" for size, one in zip(never, needed, strict=True)]
    return [f"More seeds cannot help there; clusters of queries needed with 10 seeds: {'; '.join(told)}."]


def _text(needed: Needed) -> str:
    if needed.count is not None:
        return f"{needed.count:,}".replace(",", "\N{NO-BREAK SPACE}")
    return "never" if needed.never else "more than anyone runs"
