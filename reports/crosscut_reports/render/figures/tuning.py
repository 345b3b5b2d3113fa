"""The tuning curves: what the search of each arm could be expected to find."""

from __future__ import annotations

import textwrap
from math import isfinite

from crosscut_reports.directions import higher_is_better
from crosscut_reports.expected_best import band, expected_best
from crosscut_reports.render import numbers
from crosscut_reports.render.characters import fit
from crosscut_reports.render.figures.drawing import OKABE_ITO, Drawing
from crosscut_reports.result import Result

MOST_BANDS = 4
"""With more arms bands would hide each other."""


def draw(result: Result) -> Drawing | None:
    """Expected best dev score against search trials, a line an arm."""
    tuned = [tuning for tuning in result.context.tuning if any(map(isfinite, tuning.scores))]
    if not tuned:
        return None
    from matplotlib.ticker import MaxNLocator

    drawing = Drawing.of_height(max(2.9, 0.7 + 0.2 * len(tuned)))
    axes = drawing.axes
    for index, tuning in enumerate(tuned):
        scores = [score for score in tuning.scores if isfinite(score)]
        best = expected_best(scores, higher_is_better=higher_is_better(tuning.metric))
        key = f"tuning-{index}"
        if len(tuned) <= MOST_BANDS:
            bounds = band(scores, higher_is_better=higher_is_better(tuning.metric))
            low, high = zip(*bounds, strict=True)
            axes.fill_between(
                range(1, len(best) + 1),
                low,
                high,
                color=OKABE_ITO[index % len(OKABE_ITO)],
                alpha=0.1,
                linewidth=0,
            )
        axes.plot(
            range(1, len(best) + 1), best, gid=key,
            label=textwrap.fill(fit(tuning.arm), 34, break_on_hyphens=False),
            color=OKABE_ITO[index % len(OKABE_ITO)], linewidth=1.3,
            linestyle=("-", "--", ":", "-.")[(index + index // len(OKABE_ITO)) % 4],
            marker=("o", "s", "^", "D", "v")[index % 5], markersize=3,
        )  # fmt: skip
        drawing.data[key] = {"arm": tuning.arm, "best": numbers.score(best[-1]), "trials": str(tuning.trials)}
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.set_xlabel("n, of the search trials with a score")
    metrics = numbers.words(dict.fromkeys(tuning.metric for tuning in tuned))
    axes.set_ylabel(fit(f"{metrics}, expected best of n trials"))
    drawing.figure.legend(loc="outside right upper", frameon=False)
    return drawing
