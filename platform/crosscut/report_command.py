"""`crosscut report`: the statistical report of a sweep, or of anybody's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosscut.errors import InputError
from crosscut.terminal import say, terminal

if TYPE_CHECKING:
    from crosscut import publication


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
    try:
        written = _written(source, None if out is None else Path(out), wishes)
    except OSError as error:
        if out is None:
            raise
        raise InputError(f"--out: {out!r} cannot be written ({error.strerror})") from error
    console = terminal()
    for sentence in (*written.sentences, f"report: {written.page}"):
        say(console, sentence)


def _written(source: str, out: Path | None, wishes: publication.Wishes) -> publication.Publication:
    """The report of a sweep, whose own place gets it unless `out` says where, or of a table."""
    from crosscut import publication

    if "://" not in source and not Path(source).is_dir():
        return publication.of_table(Path(source), out, wishes)
    from crosscut.plan import recorded
    from crosscut.records import declaration
    from crosscut.records.store import Store

    store = Store.open(source)
    written = publication.of_sweep(
        recorded(store),
        store.report if out is None else out,
        wishes,
        details=store.details,
        declaration=declaration.read(store),
    )
    if out is None:
        store.push(store.report)
    return written
