"""The one immutable result that text, tables, figures and `report.json` are all made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crosscut_reports.context import Context
from crosscut_reports.result.arm import ArmResult, LengthBand
from crosscut_reports.result.contrast import ContrastResult, FactorResult, Family
from crosscut_reports.result.decomposition import AblationPath, PathStep, Shapley
from crosscut_reports.result.examples import Examples, ShownQuery
from crosscut_reports.result.planning import PowerPlan, PowerPoint, SequentialResult
from crosscut_reports.result.ranking import Ranking
from crosscut_reports.result.shift import Drop, SeverityCurve, SeverityPoint, Shift, ShiftEffect
from crosscut_reports.result.terms import MAX_T, SCOPE_TEXT, Scope, Screen, Severity, Verdict

__all__ = [
    "MAX_T",
    "SCOPE_TEXT",
    "AblationPath",
    "ArmResult",
    "ContrastResult",
    "Design",
    "Drop",
    "Examples",
    "FactorResult",
    "Family",
    "Guard",
    "LengthBand",
    "PathStep",
    "PowerPlan",
    "PowerPoint",
    "Ranking",
    "Result",
    "Scope",
    "Screen",
    "SequentialResult",
    "Severity",
    "SeverityCurve",
    "SeverityPoint",
    "Shapley",
    "Shift",
    "ShiftEffect",
    "ShownQuery",
    "Verdict",
]


@dataclass(frozen=True)
class Design:
    """What was run, and what the report takes as random."""

    configs: int
    seeds: int
    queries: int | None
    clusters: int | None
    factors: Mapping[str, tuple[str, ...]]
    balanced: bool
    """Every arm has every seed."""
    scope: Scope
    primary: str
    alpha: float
    margin: float
    baseline: str | None
    adjustment: str
    """How the family's p-values are adjusted, such as `Holm`."""
    family: int
    """Number of declared contrasts with a test, over all declared families."""
    families: tuple[Family, ...] = ()
    """All of the contrasts of arms, declared ones first."""

    resampled: tuple[str, ...] = ()
    """Metrics that are no means over clusters, whose scopes with new queries rest on a bootstrap."""

    @property
    def declared_families(self) -> tuple[Family, ...]:
        """Those of declared contrasts."""
        return tuple(one for one in self.families if one.declared)


@dataclass(frozen=True)
class Guard:
    """Something a careful reader should know before believing the rest."""

    guard: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class Result:
    """A whole report, before it is rendered."""

    design: Design
    contrasts: tuple[ContrastResult, ...]
    factors: tuple[FactorResult, ...]
    arms: tuple[ArmResult, ...]
    guards: tuple[Guard, ...]
    context: Context
    shift: Shift | None = None
    """None where there is one split only."""
    lengths: tuple[LengthBand, ...] = ()
    examples: Examples | None = None
    interactions: tuple[FactorResult, ...] = ()
    """F tests of the interaction of two factors, named `a × b`."""
    shapley: tuple[Shapley, ...] = ()
    path: AblationPath | None = None
    ranking: Ranking | None = None
    power: PowerPlan | None = None
    sequential: tuple[SequentialResult, ...] = ()
