"""`crosscut report`: the statistical report of a sweep, or of anybody's table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosscut.terminal import say, terminal


def report(
    source: Annotated[str, typer.Argument(metavar="DIR|TABLE", help="Folder of a sweep, or a long table.")],
    out: Annotated[
        str | None, typer.Option(help="Folder for the report; by default DIR/report, or TABLE-report.")
    ] = None,
    baseline: Annotated[str | None, typer.Option(help="Arm that the others are compared with.")] = None,
    metric: Annotated[str | None, typer.Option(help="Primary metric.")] = None,
    factors: Annotated[str | None, typer.Option(help="Factors to look at, separated by commas.")] = None,
    alpha: Annotated[float | None, typer.Option(help="Significance level of the family.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="Differences below so many points do not matter.")
    ] = None,
    hypothesis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FACTOR: LEFT vs RIGHT",
            help="Compare this too, such as 'arm: all pairs'. Repeatable; exploratory.",
        ),
    ] = None,
) -> None:
    """Write the statistical report of a sweep, or of any long table (CSV, TSV, Parquet)."""
    from crosscut import publication

    wishes = publication.Wishes(
        baseline=baseline,
        metric=metric,
        factors=None if factors is None else tuple(name.strip() for name in factors.split(",")),
        alpha=alpha,
        margin=margin,
        hypotheses=tuple(map(publication.asked, hypothesis or ())),
    )
    if Path(source).is_dir():
        from crosscut.plan import recorded
        from crosscut.records import declaration
        from crosscut.records.store import Store

        store = Store.open(source)
        written = publication.of_sweep(
            recorded(store),
            Path(out) if out else store.report,
            wishes,
            details=store.details,
            declaration=declaration.read(store),
        )
    else:
        written = publication.of_table(Path(source), Path(out) if out else None, wishes)
    console = terminal()
    for sentence in (*written.sentences, f"report: {written.page}"):
        say(console, sentence)
