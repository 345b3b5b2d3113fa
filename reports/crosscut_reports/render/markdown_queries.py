"""What is asked of queries one by one, as Markdown: recall by their length, and some of them to look at."""

from __future__ import annotations

from crosscut_reports.render import examples_prose, lengths_prose, numbers
from crosscut_reports.render.markup import table, text
from crosscut_reports.result import Examples, LengthBand, Result


def lengths(result: Result) -> list[str]:
    """The blocks of recall by query length, none where lengths are not known."""
    if not result.lengths:
        return []
    bins = lengths_prose.lengths(result.lengths)
    heads = [f"{lengths_prose.words(one)} ({lengths_prose.queries(one)})" for one in bins]
    rows = []
    for metric in lengths_prose.metrics(result):
        places = numbers.decimals(result, metric)
        for arm, bands in lengths_prose.rows(result, metric):
            rows.append([text(metric), text(arm), *(_mean(result, band, places) for band in bands)])
    return [
        f"## {lengths_prose.HEADING}",
        text(lengths_prose.caption(result)),
        table(["metric", "arm", *heads], rows, left=2),
    ]


def _mean(result: Result, band: LengthBand | None, places: int) -> str:
    if band is None:
        return numbers.NONE
    found = numbers.points(band.mean, places)
    if band.ci is None:
        return found
    return f"{found} {numbers.interval(band.ci, places)}{lengths_prose.tail(result, band)}"


def examples(found: Examples) -> list[str]:
    """The blocks of the queries that are shown, with their ranks; pictures are left to the page."""
    blocks = [f"## {examples_prose.HEADING}", text(examples_prose.caption(found))]
    for heading, queries in examples_prose.sides(found):
        lines = [
            f"- query {shown.query}, “{text(examples_prose.words(shown))}”: "
            + "; ".join(
                f"{text(arm)} {examples_prose.ranks(shown, arm)}" for arm in (found.left, found.right)
            )
            for shown in queries
        ]
        blocks += [f"### {text(heading)}", "\n".join(lines)]
    return blocks
