"""What a report says of recall by the length of the query: the names of lengths and metrics, and the captions."""

from __future__ import annotations

from collections.abc import Sequence

from crosscut_reports.render import numbers
from crosscut_reports.result import SCOPE_TEXT, LengthBand, Result, Scope

HEADING = "Recall by query length"
DRAWN = 8
"""Up to so many arms are drawn; the tables have all."""


def metrics(result: Result) -> list[str]:
    """The recalls, in order."""
    return list(dict.fromkeys(band.metric for band in result.lengths))


def label(metric: str) -> str:
    """`R@1` of `test/t2i_r1`."""
    return f"R@{metric.rpartition('_r')[2]}"


def lengths(bands: Sequence[LengthBand]) -> list[LengthBand]:
    """A band of each bin of lengths, the shortest first."""
    return [bin_ for _, bin_ in sorted({band.low: band for band in bands}.items())]


def words(band: LengthBand) -> str:
    """`3–5 words`."""
    if band.low == band.high:
        return f"{numbers.count(band.low)} word{'' if band.low == 1 else 's'}"
    return f"{numbers.count(band.low)}–{numbers.count(band.high)} words"


def queries(band: LengthBand) -> str:
    """`1 024 queries`."""
    return numbers.plural(band.queries, "query")


def rows(result: Result, metric: str) -> list[tuple[str, list[LengthBand | None]]]:
    """Every arm with its bands of a metric, a bin each."""
    found = {(band.arm, band.low): band for band in result.lengths if band.metric == metric}
    arms = dict.fromkeys(arm for arm, _ in found)
    return [(arm, [found.get((arm, one.low)) for one in lengths(result.lengths)]) for arm in arms]


def scope(result: Result) -> Scope | None:
    """The scope of all bands, None where they have several, so that each must tell its own."""
    scopes = {band.scope for band in result.lengths}
    return scopes.pop() if len(scopes) == 1 else None


def tail(result: Result, band: LengthBand) -> str:
    """The scope of a band in brackets, where bands have several."""
    if band.ci is None or band.scope is None or scope(result) is not None:
        return ""
    return f" ({SCOPE_TEXT[band.scope]})"


def drawn(result: Result) -> list[str]:
    """The arms that are drawn, in order: all up to eight, else the baseline and those of declared contrasts, up to
    eight, and the first eight where there are none of these."""
    arms = list(dict.fromkeys(band.arm for band in result.lengths))
    if len(arms) <= DRAWN:
        return arms
    declared = (arm for c in result.contrasts if c.declared for arm in c.weights)
    wanted = dict.fromkeys(arm for arm in (result.design.baseline, *declared) if arm in arms)
    chosen = list(wanted or dict.fromkeys(arms))[:DRAWN]
    return [arm for arm in arms if arm in chosen]


def caption(result: Result) -> str:
    """What the tables show."""
    name = metrics(result)[0].rpartition("_r")[0]
    level = f"{100 * (1 - result.design.alpha):g}%"
    found = scope(result)
    return (
        f"Recall of {name} in percent by the number of words of the query: the mean over the queries of these "
        f"lengths, with its {level} interval{f' (scope: {SCOPE_TEXT[found]})' if found else ''}, the units being "
        "the clusters. Lengths are put together so that each group has about a fifth of the queries, by the "
        "lengths alone. All arms are asked the same queries, so they rise and fall together: what lies between "
        "two arms is known better than overlapping intervals suggest. Short and long queries differ in more than "
        "their length, and nothing here is a test."
    )


def drawn_caption(result: Result) -> str | None:
    """Which arms the figure leaves out; None where it has all."""
    arms = dict.fromkeys(band.arm for band in result.lengths)
    chosen = drawn(result)
    if len(chosen) == len(arms):
        return None
    declared = {arm for c in result.contrasts if c.declared for arm in c.weights}
    kinds = [
        *(["the baseline"] if result.design.baseline in chosen else []),
        *(["arms of declared contrasts"] if declared & set(chosen) else []),
    ]
    which = numbers.words(kinds) if kinds else "the first ones"
    return f"The figure shows {len(chosen)} of {len(arms)} arms, {which}; the tables have all."
