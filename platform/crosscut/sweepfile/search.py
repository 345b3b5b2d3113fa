"""The search of a sweep file: the same budget for every arm."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from crosscut.errors import shown
from crosscut.sweepfile.section import Section, Whole
from crosscut.sweepfile.space import ParameterField


class Pruning(Section):
    """When a search trial is given up. Only trials of one arm are compared with each other."""

    kind: Literal["median", "none"] = "median"
    """`median`: a trial stops whose best score so far is below the median of its arm's finished trials."""
    warmup: Annotated[Whole, Field(ge=0)] = 1
    """Steps (epochs) of a trial in which it is never stopped."""
    startup: Annotated[Whole, Field(ge=1)] = 2
    """Trials of the arm that must have run to their end before one is stopped."""


def _seen_in_search(metric: str) -> str:
    if metric.startswith("test/"):
        raise ValueError(
            f"found {shown(metric)}, expected a metric of the dev split, such as "
            f"'dev/{metric.removeprefix('test/')}': a search never sees the test split"
        )
    return metric


def _path(path: str) -> str:
    if not path or any(not part or part != part.strip() for part in path.split(".")):
        raise ValueError(f"found {shown(path)}, expected the path of a value, such as training.learning_rate")
    return path


class Search(Section):
    """How an arm's parameters are searched before its seeds run. Search trials see the dev split only."""

    metric: Annotated[str, Field(min_length=1), AfterValidator(_seen_in_search)]
    """The metric that the search optimises, such as dev/rsum."""
    mode: Literal["max", "min"] = "max"
    """Whether higher or lower values of the metric are better."""
    trials: Annotated[Whole, Field(ge=1)]
    """The budget: search trials of each arm that has something to search."""
    sampler: Literal["tpe", "random"] = "tpe"
    """How values are chosen: by a tree-structured Parzen estimator, or at random."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Seed of the sampler."""
    startup: Annotated[Whole, Field(ge=1)] = 3
    """Trials drawn at random before `tpe` models the scores."""
    parallel: Annotated[Whole, Field(ge=1)] = 1
    """Trials of one arm that may run at a time; each learns from fewer before it."""
    pruning: Pruning = Pruning()
    """When a search trial is given up."""
    space: Annotated[dict[Annotated[str, AfterValidator(_path)], ParameterField], Field(min_length=1)]
    """Path of a value in the configuration → the values it may take. A parameter is searched in the arms that
    have its component."""

    def identity(self) -> dict[str, Any]:
        """What decides which values a trial tries, beside the space and the trials before it.

        The number of trials is no part of it, so a longer search goes on with the same trials.
        """
        return self.model_dump(mode="json", exclude={"trials", "space"})
