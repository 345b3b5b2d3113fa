"""The search of a sweep file: the same budget for every arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from crosscut.choosing import Best, RuleField
from crosscut.errors import ProblemsError, one_of, shown, unexpected
from crosscut.pruners import Median, PruningField
from crosscut.samplers import SAMPLERS, Sampler
from crosscut.sweepfile import searching
from crosscut.sweepfile.section import Name, Section, Whole
from crosscut.sweepfile.space import ParameterField
from crosscut.trial import Objective

_LATER: Mapping[str, Any] = {"points": (), "population": None, "grid_points": 5}
"""Keys that came later, with their defaults: there they have no part in the identity of a search, which is that of
the records made before there were any."""


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


def _sampler(name: str) -> str:
    if name not in SAMPLERS:
        raise ValueError(unexpected(name, one_of(SAMPLERS), SAMPLERS))
    return name


Metric = Annotated[str, Field(min_length=1), AfterValidator(_seen_in_search)]
"""Name of a metric that a search may go by."""

_POINT_FORM = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
}


def _metric_or_metrics(schema: dict[str, Any]) -> None:
    """Either of the two keys says what a search goes by."""
    schema["required"].remove("metric")
    schema["anyOf"] = [{"required": ["metric"]}, {"required": ["metrics"]}]


class Search(Section, json_schema_extra=_metric_or_metrics):
    """How an arm's parameters are searched before its seeds run. Search trials see the dev split only."""

    metric: Metric
    """The metric that the search optimises, such as dev/rsum."""
    mode: Literal["max", "min"] = "max"
    """Whether higher or lower values of the metric are better."""
    trials: Annotated[Whole, Field(ge=1)]
    """The budget: search trials of each arm that has something to search."""
    metrics: Annotated[dict[Metric, Literal["max", "min"]], Field(min_length=2)] | None = None
    """Several metrics in the place of `metric` and `mode`: metric → max or min. Pruning goes by the first;
    `seconds` is the recorded time of a trial."""
    choose: RuleField = Best()
    """Of several metrics: which of the trials that no other is better than in every respect the seeds take their
    values from."""
    sampler: Annotated[
        str, AfterValidator(_sampler), WithJsonSchema({"type": "string", "enum": list(SAMPLERS)})
    ] = "tpe"
    """How values are chosen."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Seed of the sampler."""
    startup: Annotated[Whole, Field(ge=1)] = 3
    """Trials drawn at random before `tpe` or `gp` models the scores."""
    population: Annotated[Whole, Field(ge=2)] | None = None
    """Trials of a generation of `cmaes` (by default 4 + 3 ln of the number of parameters) or `nsga2` (10)."""
    grid_points: Annotated[Whole, Field(ge=2)] = 5
    """Values of a number on a `grid`, from bound to bound."""
    parallel: Annotated[Whole, Field(ge=1)] = 1
    """Trials of one arm that may run at a time; each learns from fewer before it."""
    pruning: PruningField = Median()
    """When a search trial is given up."""
    points: tuple[Annotated[dict[str, Any], Field(min_length=1), WithJsonSchema(_POINT_FORM)], ...] = ()
    """What is tried first, after the arm's own values: mappings of path to value."""
    share: tuple[Name, ...] = ()
    """Factors that are searched together: of arms that differ in these alone one is searched, and the others take
    its values."""
    space: Annotated[dict[Annotated[str, AfterValidator(_path)], ParameterField], Field(min_length=1)]
    """Path of a value in the configuration → the values it may take. A parameter is searched in the arms that
    have its component."""

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What is optimised: one metric, or several, of which the first is `metric`."""
        modes = self.metrics or {self.metric: self.mode}
        return tuple(Objective(metric, mode == "max") for metric, mode in modes.items())

    @property
    def chooser(self) -> Sampler:
        """The sampler."""
        return SAMPLERS[self.sampler]

    def identity(self) -> dict[str, Any]:
        """What decides which values a trial tries, beside the space and the trials before it.

        The number of trials is no part of it, so a longer search goes on with the same trials; nor is what becomes
        of them in the end.
        """
        said = self.model_dump(mode="json", exclude={"trials", "space", "metrics", "choose", "share"})
        said["pruning"] = self.pruning.identity()
        if self.metrics:
            # Their order counts, and that of a mapping has no part in a key.
            said["metrics"] = [list(pair) for pair in self.metrics.items()]
        for key, default in _LATER.items():
            if getattr(self, key) == default:
                del said[key]
        return said

    @model_validator(mode="before")
    @classmethod
    def _first_of_several(cls, said: Any) -> Any:
        """`metric` and `mode` are those of the first of several metrics."""
        metrics = said.get("metrics") if isinstance(said, dict) else None
        if not isinstance(metrics, dict) or not metrics:
            return said
        first, mode = next(iter(metrics.items()))
        # What is wrong with them is told of `metrics`, where they stand.
        sound = isinstance(first, str) and first and not first.startswith("test/")
        found = {"metric": first if sound else "unknown", **said}
        return {"mode": mode, **found} if mode in ("max", "min") else found

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Search:
        problems = [*searching.metrics(self), *searching.sampler(self), *searching.points(self)]
        if problems:
            raise ProblemsError(problems)
        return self
