"""The tables of arms and of contrasts for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crosscut_reports.directions import higher_is_better
from crosscut_reports.render import numbers, prose
from crosscut_reports.render.latex.escaping import escape
from crosscut_reports.render.latex.tables import table
from crosscut_reports.result import ArmResult, ContrastResult, Result

MOST_METRICS = 3
"""Metrics beside each other in a table of arms; further ones are in tables of their own."""
_MARKS = {"better": r"\ast", "worse": r"\dagger"}


def arms(result: Result) -> str:
    """A row an arm; best in bold, and marks for what differs from the baseline."""
    metrics = prose.metrics(result)
    found = {(arm.arm, arm.metric): arm for arm in result.arms}
    names = list(dict.fromkeys(arm.arm for arm in result.arms))
    if not names:
        return ""
    marks = _marked(result)
    tables = []
    for start in range(0, len(metrics), MOST_METRICS):
        shown = metrics[start : start + MOST_METRICS]
        best = {
            metric: _best(result, [found[n, metric] for n in names if (n, metric) in found])
            for metric in shown
        }
        rows = []
        for name in names:
            row = [escape(f"{name} (baseline)" if name == result.design.baseline else name)]
            for metric in shown:
                arm = found.get((name, metric))
                row.append(
                    _mean(result, arm, best[metric]) + marks.get((name, metric), "") + _interval(result, arm)
                )
            rows.append(row)
        head = ["Arm", *map(escape, shown)]
        caption = _arms_caption(result, shown, [found[key] for key in found if key[1] in shown])
        note = _marks_note(result, shown, marks)
        tables.append(table(caption, f"arms-{start // MOST_METRICS + 1}", head, rows, left=1, note=note))
    return "\n\n".join(tables)


def contrasts(result: Result) -> str:
    """A table a family and metric, as the page groups them."""
    tables = []
    for place, group in enumerate(prose.groups(result), 1):
        members = group.contrasts
        mixed = prose.scope(members) is None
        head = ["Contrast", "Verdict", "Estimate", "Interval", "$p$", "adjusted"] + (
            ["Scope"] if mixed else []
        )
        rows = [_contrast(result, one, mixed) for one in members]
        first = members[0]
        caption = (
            f"{group.heading}. {_level(result)} intervals are of each contrast alone; p-values are two-sided, and "
            f"adjusted by {first.adjustment} in a family of {first.family}; better and worse mean an adjusted p "
            f"below {result.design.alpha:g}"
        )
        if result.design.margin > 0 and first.metric == result.design.primary:
            caption += f", equivalent an interval within ±{result.design.margin:g} points"
        tables.append(table(f"{caption}. {_size(members)}", f"contrasts-{place}", head, rows, left=2))
    return "\n\n".join(tables)


def _contrast(result: Result, one: ContrastResult, mixed: bool) -> list[str]:
    places = numbers.decimals(result, one.metric)
    cells = [
        one.name,
        one.verdict,
        numbers.signed(one.estimate, places),
        numbers.interval(one.ci, places, sign=True),
        numbers.p_value(one.p, result.design.alpha),
        numbers.p_value(one.p_adjusted, result.design.alpha),
        *([prose.scope_text(one)] if mixed else []),
    ]
    return list(map(escape, cells))


def _size(members: Sequence[ContrastResult]) -> str:
    seeds = sorted({one.seeds for one in members})
    clusters = {one.clusters for one in members if one.clusters is not None}
    most = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else numbers.plural(seeds[0], "seed")
    return f"{most}, {numbers.plural(clusters.pop(), 'cluster')}." if len(clusters) == 1 else f"{most}."


def _level(result: Result) -> str:
    return f"{100 * (1 - result.design.alpha):g}%"


def _best(result: Result, arms: Sequence[ArmResult]) -> str | None:
    """The best mean as it is printed, so that what looks equal is marked alike; None for a single arm."""
    if len(arms) < 2:
        return None
    way = max if higher_is_better(arms[0].metric) else min
    return numbers.points(way(arm.mean for arm in arms), numbers.decimals(result, arms[0].metric))


def _mean(result: Result, arm: ArmResult | None, best: str | None) -> str:
    if arm is None:
        return escape(numbers.NONE)
    text = numbers.points(arm.mean, numbers.decimals(result, arm.metric))
    return rf"\textbf{{{escape(text)}}}" if text == best else escape(text)


def _interval(result: Result, arm: ArmResult | None) -> str:
    if arm is None or arm.ci is None:
        return ""
    return " " + escape(numbers.interval(arm.ci, numbers.decimals(result, arm.metric)))


def _against_baseline(result: Result) -> Iterator[tuple[str, ContrastResult, bool]]:
    """Arm, its contrast with the baseline alone, and whether the arm is on the left."""
    for one in result.contrasts:
        others = [arm for arm in one.weights if arm != result.design.baseline]
        if result.design.baseline in one.weights and len(one.weights) == 2 and len(others) == 1:
            yield others[0], one, one.weights[others[0]] > 0


def _marked(result: Result) -> Mapping[tuple[str, str], str]:
    """(arm, metric) → the mark of a verdict against the baseline."""
    found: dict[tuple[str, str], str] = {}
    for arm, one, left in _against_baseline(result):
        verdict = (
            one.verdict if left else {"better": "worse", "worse": "better"}.get(one.verdict, one.verdict)
        )
        if verdict in _MARKS:
            mark = _MARKS[verdict] if one.declared else f"({_MARKS[verdict]})"
            found.setdefault((arm, one.metric), f"$^{{{mark}}}$")
    return found


def _marks_note(result: Result, metrics: Sequence[str], marks: Mapping[tuple[str, str], str]) -> str:
    """What the marks of a table mean; LaTeX."""
    used = {mark for (_, metric), mark in marks.items() if metric in metrics}
    if not used:
        return ""
    families: dict[tuple[str, str, int, bool], None] = {}
    for _, one, _ in _against_baseline(result):
        if one.metric in metrics and one.verdict in _MARKS:
            families[one.metric, one.adjustment, one.family, one.declared] = None
    words = {"ast": "better", "dagger": "worse"}
    told = [f"${{}}^{{\\{key}}}$ {word}" for key, word in words.items() if any(key in mark for mark in used)]
    tests = "; ".join(
        f"{metric}, {'declared' if declared else 'exploratory'}: {way}, family of {size}"
        for metric, way, size, declared in families
    )
    brackets = " In brackets: not declared before the runs." if any("(" in mark for mark in used) else ""
    scopes = numbers.words(
        dict.fromkeys(
            prose.scope_text(one) for _, one, _ in _against_baseline(result) if one.metric in metrics
        )
    )
    text = (
        f" than the baseline {result.design.baseline}, by a two-sided test whose adjusted p is below "
        f"α = {result.design.alpha:g} (scope: {scopes}; {tests}).{brackets}"
    )
    return f" {', '.join(told)}{escape(text)}"


def _arms_caption(result: Result, metrics: Sequence[str], arms: Sequence[ArmResult]) -> str:
    scopes = numbers.words(dict.fromkeys(prose.scope_text(arm) for arm in arms))
    seeds = sorted({arm.seeds for arm in arms})
    most = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else numbers.plural(seeds[0], "seed")
    return (
        f"Means of {numbers.words(metrics)} over {most}, with {_level(result)} intervals (scope: {scopes}). The "
        "best mean is in bold."
    )
