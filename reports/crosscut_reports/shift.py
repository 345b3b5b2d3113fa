"""Domain shift: how arms do off the split that they were made for, and whether a component helps more there.

An arm's drop is its score on another split less that on the source. A contrast of arms there, less the same
contrast on the source, is the contrast of their drops: an interaction, in which how hard a split is by itself
cancels. Both are contrasts of differences of two splits, which `splits.difference` makes, and are measured as any
other contrast is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from crosscut_reports.arm_means import arm_mean
from crosscut_reports.contrast import Contrast
from crosscut_reports.family import family
from crosscut_reports.guards import ceiling_and_floor, listed
from crosscut_reports.measurement import Measurement, Table, measure
from crosscut_reports.question import Question
from crosscut_reports.result import (
    ArmResult,
    ContrastResult,
    Drop,
    Guard,
    SeverityCurve,
    SeverityPoint,
    Shift,
    ShiftEffect,
)
from crosscut_reports.scores import Scores, SplitFacts
from crosscut_reports.splits import Compared, compared, difference, same_clusters

_Key = tuple[str, str]
"""A name, of an arm or of a contrast of arms, and a split."""


@dataclass(frozen=True)
class ShiftFindings:
    """What was found, the measurements it was made from, and what a reader should know of them."""

    shift: Shift
    measured: tuple[Measurement, ...]
    guards: tuple[Guard, ...]


def find(
    scores: Scores,
    question: Question,
    contrasts: Sequence[Contrast],
    answers: Sequence[ContrastResult],
    trials: Mapping[str, int],
) -> ShiftFindings | None:
    """The comparison of splits on the primary metric, None where it is known on one split only.

    `answers` are the results of `contrasts` on the primary metric, which are taken over for its own split. All
    other results are exploratory, in families adjusted by Holm: all drops; all contrasts on other splits; all
    differences of these from those on the source; and those on the source where that is not the primary
    metric's split. Equivalence is judged with the question's margin throughout, since the metric is the same.
    """
    primary = question.primary_metric(scores)
    splits = compared(scores.metrics, primary)
    if splits is None:
        return None
    asked = _asked(contrasts)
    tables = {split: Table(scores, splits.metric(split)) for split in (splits.source, *splits.others)}
    means = {
        (arm, split): mean
        for split, table in tables.items()
        for arm in scores.arms
        if (mean := arm_mean(scores, table, arm, question, trials)) is not None
    }
    lost, more, paired = _differences(scores, question, splits, asked)
    sides: dict[_Key, Measurement] = {}
    known: dict[_Key, ContrastResult] = {}
    for split in tables:
        metric = splits.metric(split)
        if metric == primary:
            known |= {(one.name, split): one for one in answers}
            continue
        found = zip(asked, measure(scores, metric, asked, question.scope), strict=True)
        sides |= {(contrast.name, split): one for contrast, one in found if one is not None}
    families = [
        lost,
        more,
        {key: one for key, one in sides.items() if key[1] != splits.source},
        {key: one for key, one in sides.items() if key[1] == splits.source},
    ]
    names = ("changes", "differences under shift", "on other splits", f"on {splits.source}")
    drops, interactions, there, here = (
        _judged(members, question, name) for members, name in zip(families, names, strict=True)
    )
    known |= there | here
    shift = Shift(
        source=splits.source,
        metric=splits.suffix,
        splits=splits.others,
        own=tuple(means[arm, splits.source] for arm in scores.arms if (arm, splits.source) in means),
        drops=tuple(
            Drop(arm, split, means[arm, split], drop, paired[split]) for (arm, split), drop in drops.items()
        ),
        effects=tuple(
            ShiftEffect(
                one.name,
                split,
                known[one.name, splits.source],
                known[one.name, split],
                interactions[one.name, split],
            )
            for one in asked
            for split in splits.others
            if (one.name, split) in interactions
        ),
        curves=_curves(scores, splits, means),
        higher_is_better=tables[splits.source].sign > 0,
    )
    measured = tuple(one for members in families for one in members.values())
    return ShiftFindings(
        shift,
        measured,
        (
            *_unpaired(splits, tables, paired),
            *_gaps(scores, splits, tables),
            *(guard for table in tables.values() for guard in ceiling_and_floor(table)),
        ),
    )


def _asked(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """What is asked of other splits: hypotheses and main effects of levels, else comparisons of arms."""
    main = [one for one in contrasts if one.kind in ("hypothesis", "level")]
    return main or [one for one in contrasts if one.kind in ("arm", "pair")]


def _differences(
    scores: Scores, question: Question, splits: Compared, asked: Sequence[Contrast]
) -> tuple[dict[_Key, Measurement], dict[_Key, Measurement], dict[str, bool]]:
    """Drops by arm, contrasts of drops by contrast, and which splits have the clusters of the source."""
    lost: dict[_Key, Measurement] = {}
    more: dict[_Key, Measurement] = {}
    paired: dict[str, bool] = {}
    here = scores.metrics[splits.metric(splits.source)]
    for split in splits.others:
        there = scores.metrics[splits.metric(split)]
        paired[split] = same_clusters(there, here, (_facts(scores, split), _facts(scores, splits.source)))
        metric = difference(there, here, together=paired[split], name=splits.suffix)
        versus = f"{split} vs {splits.source}"
        wanted = [
            *(Contrast(f"{arm}: {versus}", {arm: 1.0}, declared=False, kind="split") for arm in scores.arms),
            *(replace(one, name=f"{one.name} × {versus}") for one in asked),
        ]
        found = measure(replace(scores, metrics={metric.name: metric}), metric.name, wanted, question.scope)
        names = [*scores.arms, *(one.name for one in asked)]
        for place, (name, one) in enumerate(zip(names, found, strict=True)):
            if one is not None:
                (lost if place < len(scores.arms) else more)[name, split] = one
    return lost, more, paired


def _judged(members: Mapping[_Key, Measurement], question: Question, name: str) -> dict[_Key, ContrastResult]:
    """The results of one family."""
    margins = {one.metric: question.margin for one in members.values()}
    results = family(list(members.values()), question, margins, name, declared=False)
    return dict(zip(members, results, strict=True))


def _facts(scores: Scores, split: str) -> SplitFacts:
    return scores.splits.get(split, SplitFacts())


def _curves(scores: Scores, splits: Compared, means: Mapping[_Key, ArmResult]) -> tuple[SeverityCurve, ...]:
    """The arms over each series of splits with the same units, from the split that nothing was done to on."""
    every = (splits.source, *splits.others)
    groups: dict[tuple[str, str | None], list[tuple[float, str]]] = {}
    for split in every:
        facts = _facts(scores, split)
        if facts.series is not None and facts.severity is not None:
            groups.setdefault((facts.series, facts.units), []).append((facts.severity, split))
    named = [series for series, _ in groups]
    found = []
    for (series, _), members in groups.items():
        if all(severity != 0 for severity, _ in members):
            plain = [split for split in every if _untouched(scores, splits, split, members[0][1])]
            members += [(0.0, split) for split in plain[:1]]
        ordered = sorted(members, key=lambda member: member[0])
        label = series if named.count(series) == 1 else f"{series} on {ordered[0][1]}"
        for arm in scores.arms:
            there = [(severity, split) for severity, split in ordered if (arm, split) in means]
            points = tuple(_point(severity, split, means[arm, split]) for severity, split in there)
            if len(points) > 1:
                found.append(SeverityCurve(label, arm, points))
    return tuple(found)


def _untouched(scores: Scores, splits: Compared, split: str, other: str) -> bool:
    """Whether nothing was done to a split that has the units of another, to which something was."""
    facts = _facts(scores, split), _facts(scores, other)
    if facts[0].series is not None or facts[0].units != facts[1].units:
        return False
    first, second = (scores.metrics[splits.metric(name)] for name in (split, other))
    return facts[0].units is not None or same_clusters(first, second, facts)


def _point(severity: float, split: str, mean: ArmResult) -> SeverityPoint:
    return SeverityPoint(severity, split, mean.mean, mean.ci, mean.scope)


def _unpaired(splits: Compared, tables: Mapping[str, Table], paired: Mapping[str, bool]) -> list[Guard]:
    """Splits of other queries than the source's."""
    apart = [split for split, together in paired.items() if not together and tables[split].metric.per_cluster]
    if not apart or not tables[splits.source].metric.per_cluster:
        return []
    message = (
        f"Other queries than those of {splits.source} are asked on {listed(apart)}: an arm's change from one to "
        "the other also tells how hard these queries are by themselves. How much more a contrast is there does "
        "not, since both of its sides have the same queries."
    )
    return [Guard("other-queries", "note", message)]


def _gaps(scores: Scores, splits: Compared, tables: Mapping[str, Table]) -> list[Guard]:
    """Runs that have a score on the source and none on another split, or the other way round."""
    here, texts = tables[splits.source], []
    for split in splits.others:
        for arm, row in here.rows.items():
            differ = here.present[row] != tables[split].present[row]
            if differ.any():
                seeds = [seed for seed, gap in zip(scores.seeds, differ, strict=True) if gap]
                texts.append(f"{arm} on {split} (seed{'s' * (len(seeds) > 1)} {listed(seeds)})")
    if not texts:
        return []
    message = (
        f"Some runs have {splits.suffix} on one of two compared splits only, and take no part in what lies "
        f"between them: {listed(texts)}."
    )
    return [Guard("missing-splits", "warning", message)]
