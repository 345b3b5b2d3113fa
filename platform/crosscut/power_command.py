"""`crosscut power`: seeds and queries that a difference needs, from a pilot or from given standard deviations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crosscut.terminal import say, terminal


def power(
    source: Annotated[
        str | None, typer.Argument(metavar="[DIR|TABLE]", help="A pilot: folder of a sweep, or a long table.")
    ] = None,
    difference: Annotated[
        list[float] | None, typer.Option(help="A true difference in points. Repeatable; by default a few.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Numbers of seeds, separated by commas, such as 3,5,10.")
    ] = None,
    queries: Annotated[
        int | None,
        typer.Option(min=2, help="Independent clusters of queries, such as images; by default the pilot's."),
    ] = None,
    metric: Annotated[str | None, typer.Option(help="Primary metric of the pilot.")] = None,
    baseline: Annotated[str | None, typer.Option(help="Arm that others are compared with.")] = None,
    sd_seed: Annotated[
        float | None, typer.Option(help="In place of a pilot: how far a difference moves from seed to seed.")
    ] = None,
    sd_query: Annotated[float, typer.Option(help="How far it differs between clusters.")] = 0.0,
    sd_residual: Annotated[float, typer.Option(help="What is left of one cluster in one seed.")] = 0.0,
    wanted: Annotated[float, typer.Option("--power", help="Power that seeds are counted for.")] = 0.8,
    alpha: Annotated[float | None, typer.Option(help="Significance level.")] = None,
    family: Annotated[
        int | None, typer.Option(min=1, help="Contrasts that are tested together; by default the pilot's.")
    ] = None,
    out: Annotated[str | None, typer.Option(help="Write the curve to this file, an SVG.")] = None,
) -> None:
    """Show how many seeds and queries a difference needs, from a pilot sweep or table, or from given spreads."""
    from rich.table import Table
    from rich.text import Text

    from crosscut import planning
    from crosscut_reports.render.sections.power import of_plan

    asked = planning.Asked(
        differences=tuple(difference or ()),
        seeds=planning.whole_numbers(seeds),
        queries=queries,
        metric=metric,
        baseline=baseline,
        wanted=wanted,
        alpha=alpha,
        family=family,
    )
    if (source is None) == (sd_seed is None):
        raise planning.one_basis()
    if source is not None:
        made = planning.from_pilot(source, asked)
    else:
        made = planning.from_spreads(sd_seed or 0.0, sd_query, sd_residual, asked)
    section = of_plan(made.plan)
    console = terminal()
    say(console, section.caption)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for place, name in enumerate(section.head):
        table.add_column(Text(name), justify="right" if place else "left")
    for row in section.rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    for sentence in made.notes:
        say(console, sentence)
    if out is not None:
        say(console, f"curve: {planning.draw(made.plan, Path(out))}")
