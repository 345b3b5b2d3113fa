"""Average ranks of arms."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.render.sections.section import Section
from crosscut_reports.result import SCOPE_TEXT, Ranking, Result


def section(result: Result) -> Section | None:
    """A row an arm, by average rank; None for fewer than three arms or two common seeds."""
    found = result.ranking
    if found is None:
        return None
    rows = tuple(
        (arm, f"{rank:.2f}", _apart(found, place))
        for place, (arm, rank) in enumerate(zip(found.arms, found.ranks, strict=True))
    )
    F = "F has no bound, since every seed ranks the arms alike" if found.F is None else _f(found)
    caption = (
        f"Ranks of the arms on {found.metric}, 1 being best, averaged over {numbers.plural(found.seeds, 'seed')} "
        f"(scope: {SCOPE_TEXT['seeds']}; exploratory). Friedman’s χ² = {found.chi2:.2f}; {F}, "
        f"p {_p(found, result)} (Iman and Davenport 1980). Two arms differ, all pairs taken together at α = "
        f"{result.design.alpha:g}, where their ranks are {found.critical:.2f} apart or more (Nemenyi 1963, after "
        "Demšar 2006); bars in the figure join arms that no pair tells apart. Ranks leave out how large a "
        "difference is, and with few seeds they tell few arms apart."
    )
    return Section("Ranking", caption, ("Arm", "Average rank", "Told apart from"), rows, figure="ranking")


def _apart(found: Ranking, place: int) -> str:
    own = found.ranks[place]
    count = sum(abs(rank - own) >= found.critical for rank in found.ranks)
    return f"{count} of {len(found.ranks) - 1}"


def _f(found: Ranking) -> str:
    return f"F({numbers.degrees(found.df1)}, {numbers.degrees(found.df2)}) = {found.F:.2f}"


def _p(found: Ranking, result: Result) -> str:
    text = numbers.p_value(found.p, result.design.alpha)
    return text if text.startswith("<") else f"= {text}"
