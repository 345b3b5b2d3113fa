"""What may be wrong with a search as a whole, each in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crosscut.choosing import Best
from crosscut.errors import Problem, near, one_of, shown
from crosscut.samplers import SAMPLERS
from crosscut.samplers.grid import LARGEST, size
from crosscut.sweepfile.space import Parameter
from crosscut.trial import SECONDS

if TYPE_CHECKING:
    from crosscut.sweepfile.search import Search

_HEEDED: Mapping[str, Any] = {"population": None, "grid_points": 5}
"""Keys that some samplers alone heed, with their defaults."""


def metrics(search: Search) -> Iterator[Problem]:
    """Problems of `metric`, `mode`, `metrics` and `choose`."""
    if search.metrics is None:
        if search.choose != Best():
            text = "there is nothing to choose between by one metric, expected several under search.metrics"
            yield Problem(("choose",), text)
        return
    first, mode = next(iter(search.metrics.items()))
    if first == SECONDS:
        text = "this stands first, expected a metric that trials report: pruning goes by the first one"
        yield Problem(("metrics", SECONDS), text)
        return
    if search.metric != first:
        text = f"found {shown(search.metric)}, expected nothing, or {first!r}: metrics stands in its place"
        yield Problem(("metric",), text)
    elif search.mode != mode:
        text = f"found {shown(search.mode)}, expected nothing, or {mode!r}: metrics stands in its place"
        yield Problem(("mode",), text)
    for problem in search.choose.problems(search.objectives):
        yield problem.under("choose")


def sampler(search: Search) -> Iterator[Problem]:
    """Problems of what the sampler can take."""
    chooser = search.chooser
    if len(search.objectives) > 1 and not chooser.several:
        able = [name for name, other in SAMPLERS.items() if other.several]
        text = f"found {shown(search.sampler)}, which takes one metric, expected {one_of(able)} for several"
        yield Problem(("sampler",), text)
    for path, parameter in search.space.items():
        if parameter.kind == "choice" and not chooser.choices:
            able = [name for name, other in SAMPLERS.items() if other.choices]
            text = f"the sampler {search.sampler} takes numbers alone, expected {one_of(able)} for choices"
            yield Problem(("space", path), text)
    for key, default in _HEEDED.items():
        if getattr(search, key) != default and key not in chooser.heeds:
            able = [name for name, other in SAMPLERS.items() if key in other.heeds]
            yield Problem((key,), f"the sampler {search.sampler} does not heed this, {one_of(able)} would")
    if chooser.room is not None and (count := size(search.space, search.grid_points)) > LARGEST:
        text = (
            f"the grid has {count} points, expected {LARGEST} at most: fewer parameters, choices or grid_points, "
            "or the sampler qmc, which fills a space as evenly"
        )
        yield Problem(("sampler",), text)


def points(search: Search) -> Iterator[Problem]:
    """Problems of the points that are tried first."""
    for index, point in enumerate(search.points):
        for path, value in point.items():
            where = ("points", str(index), path)
            if path not in search.space:
                known = search.space
                yield Problem(where, f"this is not searched, expected {one_of(known)}{near(path, known)}")
            elif not search.space[path].contains(value):
                yield Problem(where, f"found {shown(value)}, expected {_values(search.space[path])}")
    if len(search.points) >= search.trials:
        text = (
            f"{len(search.points)} and the arm's own values are {len(search.points) + 1} trials, expected "
            f"search.trials ({search.trials}) at most"
        )
        yield Problem(("points",), text)


def _values(parameter: Parameter) -> str:
    """What a parameter may be, in words."""
    if parameter.kind == "choice":
        return one_of(map(shown, parameter.choices))
    number = "a whole number" if parameter.integer else "a number"
    return f"{number} from {parameter.low:g} to {parameter.high:g}"
