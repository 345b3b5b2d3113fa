"""`report.md`: the report for a pull request or a log book. Names are escaped, so they stay names."""

from __future__ import annotations

from collections.abc import Sequence

from crosscut_reports import attention
from crosscut_reports.render import markdown_queries, markdown_shift, methods, numbers, prose
from crosscut_reports.render.figures import MARKS
from crosscut_reports.render.markup import table as _table
from crosscut_reports.render.markup import text as _text
from crosscut_reports.render.sections import Section, sections
from crosscut_reports.result import ContrastResult, Result

_SEVERITIES = ("error", "warning", "note")


def render(result: Result) -> str:
    """The text of `report.md`."""
    blocks = [
        f"# {_text(prose.title(result))}",
        *([_text(result.context.question)] if result.context.question else []),
        *_guards(result),
        *_design(result),
        *_verdicts(result),
        *_contrasts(result),
        *_arms(result),
        *([] if result.shift is None else markdown_shift.render(result, result.shift)),
        *markdown_queries.lengths(result),
        *([] if result.examples is None else markdown_queries.examples(result.examples)),
        *_factors(result),
        *(block for section in sections(result) for block in _section(section)),
        *_tuning(result),
        *_attention(result),
        *_failures(result),
        "## Methods",
        *(_text(paragraph) for paragraph in methods.methods(result)),
        "\n".join(f"- {_text(reference)}" for reference in methods.references(result)),
        *_provenance(result),
    ]
    return "\n\n".join(blocks) + "\n"


def _guards(result: Result) -> list[str]:
    order = sorted(result.guards, key=lambda guard: _SEVERITIES.index(guard.severity))
    lines = [f"> **{guard.severity}**: {_text(guard.message)}" for guard in order]
    return ["\n>\n".join(lines)] if lines else []


def _design(result: Result) -> list[str]:
    lines = [
        f"- {_text(label)}: {_text(text)}"
        for label, text in (*prose.design(result), *prose.inference(result))
    ]
    return ["## Design", "\n".join(lines), " ".join(map(_text, prose.random_and_fixed(result)))]


def _verdicts(result: Result) -> list[str]:
    blocks = ["## Verdicts"]
    for heading, declared in (("Declared in the sweep file", True), ("Exploratory", False)):
        chosen = prose.verdicts(result, declared)
        if chosen:
            lines = [f"- {MARKS[c.verdict].glyph} **{c.verdict}**: {_text(c.sentence)}" for c in chosen]
            blocks += [f"### {heading}", "\n".join(lines)]
    return (
        blocks if len(blocks) > 1 else [*blocks, f"There is no contrast on {_text(result.design.primary)}."]
    )


def _contrasts(result: Result) -> list[str]:
    blocks: list[str] = []
    for group in prose.groups(result):
        blocks += [f"### {_text(group.heading)}", _contrast_table(result, group.contrasts)]
    return ["## Contrasts", *blocks] if blocks else []


def _contrast_table(result: Result, contrasts: Sequence[ContrastResult]) -> str:
    head = ["contrast", "verdict", "estimate", "interval", "SE", "df", "p", "p adjusted", "wins–ties–losses"]
    head += ["σ seed", "σ query", "σ residual", "more seeds"]
    together = prose.together(contrasts)
    head += ["simultaneous interval"] if together else []
    mixed = prose.scope(contrasts) is None
    head += ["scope"] if mixed else []
    rows = []
    for c in contrasts:
        places = numbers.decimals(result, c.metric)
        record = numbers.NONE if c.wins is None else f"{c.wins}–{c.ties}–{c.losses}"
        rows.append(
            [
                _text(c.name) + ("" if c.declared else " (exploratory)"),
                f"{MARKS[c.verdict].glyph} {c.verdict}",
                numbers.signed(c.estimate, places),
                numbers.interval(c.ci, places, sign=True),
                numbers.points(c.se, places),
                numbers.degrees(c.df),
                _text(numbers.p_value(c.p, result.design.alpha)),
                _text(numbers.p_value(c.p_adjusted, result.design.alpha)),
                record,
                *(numbers.points(sd, places) for sd in (c.sd_seed, c.sd_query, c.sd_residual)),
                numbers.count(c.seeds_to_decide),
                *([numbers.interval(c.simultaneous, places, sign=True)] if together else []),
                *([prose.scope_text(c)] if mixed else []),
            ]
        )
    return _table(head, rows, left=2)


def _arms(result: Result) -> list[str]:
    metrics = prose.metrics(result)
    found = {(arm.arm, arm.metric): arm for arm in result.arms}
    mixed = {m for m in metrics if prose.scope(arm for arm in result.arms if arm.metric == m) is None}
    rows = []
    for name in dict.fromkeys(arm.arm for arm in result.arms):
        first = next(arm for arm in result.arms if arm.arm == name)
        row = [_text(name), str(first.seeds), numbers.count(first.trials)]
        for metric in metrics:
            arm, places = found.get((name, metric)), numbers.decimals(result, metric)
            text = numbers.NONE if arm is None else numbers.points(arm.mean, places)
            if arm is not None and arm.ci is not None:
                text = f"{text} {numbers.interval(arm.ci, places)}"
                text += f" ({prose.scope_text(arm)})" if metric in mixed else ""
            row.append(text)
        rows.append(row)
    heads = [
        _text(prose.headed(metric, [arm for arm in result.arms if arm.metric == metric]))
        for metric in metrics
    ]
    head = ["arm", "seeds", "trials", *heads]
    return ["## Arms", _table(head, rows)] if rows else []


def _factors(result: Result) -> list[str]:
    alpha = result.design.alpha
    rows = [
        [
            _text(f.factor), _text(f.metric), _text(", ".join(f.levels)), prose.tested_over(f),
            prose.scope_text(f), numbers.points(f.F),
            f"{numbers.degrees(f.df1)}, {numbers.degrees(f.df2)}", _text(numbers.p_value(f.p, alpha)),
            _text(numbers.p_value(f.p_adjusted, alpha)),
        ]
        for f in result.factors
    ]  # fmt: skip
    head = ["factor", "metric", "levels", "tested", "scope", "F", "df", "p", "p adjusted"]
    return ["## Factors", _table(head, rows, left=5)] if rows else []


def _section(section: Section) -> list[str]:
    rows = [[_text(cell) for cell in row] for row in section.rows]
    return [
        f"## {_text(section.heading)}",
        _text(section.caption),
        _table([*map(_text, section.head)], rows, section.left),
    ]


def _tuning(result: Result) -> list[str]:
    rows = [
        [
            _text(t.arm), str(t.trials), str(t.pruned), str(t.failed), _text(t.metric),
            numbers.score(t.best),
            _text(numbers.settings(t.values) + (f" (from {t.shared_from})" if t.shared_from else "")),
        ]
        for t in result.context.tuning
    ]  # fmt: skip
    head = ["arm", "trials", "pruned", "failed", "metric", "best", "values"]
    return ["## Tuning", _table(head, rows)] if rows else []


def _attention(result: Result) -> list[str]:
    table = result.context.attention
    found, metrics = attention.rows(table), attention.others(table)
    blocks = []
    for head, rows in (
        (["arm", "split"], [row for row in found if not row.swept]),
        (["arm", "split", "overlap", "weight"], [row for row in found if row.swept]),
    ):
        cells = [
            [
                *map(_text, (row.arm, row.split)),
                *([numbers.threshold(row.iou), numbers.threshold(row.weight)] if row.swept else []),
                *(numbers.spread(row.parts.get(part), 1) for part in attention.PARTS),
            ]
            for row in rows
        ]
        blocks += [_table([*head, *attention.PARTS], cells, left=2)] if cells else []
    if metrics:
        rest = [
            [_text(arm), *(numbers.spread(row.get(metric)) for metric in metrics)]
            for arm, row in table.items()
        ]
        blocks.append(_table(["arm", *map(_text, metrics)], rest))
    return ["## Attention", *blocks] if blocks else []


def _failures(result: Result) -> list[str]:
    rows = [
        [_text(f.arm), _text(f.phase), str(f.number), _text(f.kind), _text(f.reason)]
        for f in result.context.failures
    ]
    return ["## Failures", _table(["arm", "phase", "number", "kind", "reason"], rows, left=5)] if rows else []


def _provenance(result: Result) -> list[str]:
    lines = [f"- {_text(label)}: {_text(text)}" for label, text in result.context.provenance.items()]
    return ["## Provenance", "\n".join(lines)] if lines else []
