"""Numbers as a reader meets them: points, intervals, p-values. Every text, table and figure uses these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from crosscut_reports.result import Result

NONE = "–"
MINUS = "\N{MINUS SIGN}"


def decimals(result: Result, metric: str) -> int:
    """Decimal places that suit a metric's size: two for percentages and sums of them, four for shares."""
    sizes = [abs(arm.mean) for arm in result.arms if arm.metric == metric and isfinite(arm.mean)]
    return _places(max(sizes, default=100.0))


def _places(size: float) -> int:
    return 4 if size < 2 else 3 if size < 20 else 2


def score(value: float | None) -> str:
    """A score that stands alone, its decimal places suiting its own size."""
    return points(value, 2 if value is None else _places(abs(value)))


def points(value: float | None, places: int = 2) -> str:
    """A score in its metric's points."""
    if value is None or not isfinite(value):
        return NONE
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def signed(value: float | None, places: int = 2) -> str:
    """A difference, with its sign."""
    text = points(value, places)
    return text if text == NONE or text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def interval(bounds: tuple[float, float] | None, places: int = 2, sign: bool = False) -> str:
    """`[low, high]`; an open end is an infinity."""
    if bounds is None:
        return NONE
    write = signed if sign else points
    low, high = (write(b, places) if isfinite(b) else (f"{MINUS}∞" if b < 0 else "∞") for b in bounds)
    return f"[{low}, {high}]"


def p_value(p: float | None, alpha: float = 0.05) -> str:
    """Three decimals, and `< 0.001` below; never zero, and more decimals where three would cross `alpha`."""
    if p is None:
        return NONE
    if p < 0.001:
        return "< 0.001"
    places = 3
    while places < 9 and (round(p, places) < alpha) != (p < alpha):
        places += 1
    return f"{p:.{places}f}"


def degrees(df: float | None) -> str:
    """Degrees of freedom: whole where they are, one decimal otherwise."""
    if df is None:
        return NONE
    if not isfinite(df):
        return "∞"
    return f"{df:.0f}" if df == round(df) else f"{df:.1f}"


def count(value: int | None) -> str:
    """A count with a thin space between thousands."""
    return NONE if value is None else f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def short(value: float | int | str | bool) -> str:
    """A searched parameter's value, to four significant digits."""
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", MINUS)
    return str(value).lower() if isinstance(value, bool) else str(value)


def settings(values: Mapping[str, float | int | str | bool]) -> str:
    """`weight = 0.3162, margin = 0.2`."""
    return ", ".join(f"{key} = {short(value)}" for key, value in values.items()) or NONE


def threshold(value: float | None) -> str:
    """A threshold of a sweep, `as set` for the one that runs were set to."""
    return "as set" if value is None else f"{value:g}"


def words(items: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = list(items) or [NONE]
    return f"{', '.join(most)} and {last}" if most else last


def plural(number: int, noun: str) -> str:
    """`1 seed`, `5 seeds`, `45 queries`."""
    if number == 1:
        return f"1 {noun}"
    many = noun[:-1] + "ies" if noun.endswith("ry") else noun + "s"
    return f"{count(number)} {many}"


def spread(pair: tuple[float, float] | None, places: int = 3) -> str:
    """`mean ± sd`; the mean alone where one seed leaves no deviation."""
    if pair is None:
        return NONE
    mean, sd = pair
    return f"{points(mean, places)} ± {points(sd, places)}" if isfinite(sd) else points(mean, places)
