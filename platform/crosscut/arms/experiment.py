"""An experiment: a sweep whose every arm has been checked with the trainable, so that it can be queued."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from crosscut.arms.arm import Arm, names
from crosscut.arms.loading import load
from crosscut.arms.patches import RESOURCES, Patches
from crosscut.arms.sharing import leaders
from crosscut.arms.typo import likely_typos
from crosscut.errors import Keys, Problem, near, one_of, shown, unexpected
from crosscut.sweepfile.patch import get_path, has_path, leaves, merge, set_path
from crosscut.sweepfile.problems import problems_of
from crosscut.sweepfile.resources import Resources
from crosscut.sweepfile.space import Parameter
from crosscut.sweepfile.sweep import Sweep
from crosscut.trial import SECONDS
from crosscut_trainables.trainable import Description, Joint, Locating, Measuring, description_of


@dataclass(frozen=True)
class Experiment:
    """A sweep with its arms."""

    sweep: Sweep
    arms: tuple[Arm, ...]
    """In the order of the design."""
    baseline: Arm | None
    """The arm that others are compared with, None where the design names none."""

    @cached_property
    def leaders(self) -> Mapping[str, str]:
        """Arm → the arm that is searched for it, of those that take their searched values from another."""
        share = self.sweep.search.share if self.sweep.search is not None else ()
        baseline = None if self.baseline is None else self.baseline.levels
        places = leaders([arm.levels for arm in self.arms], baseline, share)
        return {
            arm.name: self.arms[place].name
            for arm, place in zip(self.arms, places, strict=True)
            if arm.space and self.arms[place] is not arm
        }


def prepare(sweep: Sweep) -> Experiment:
    """Check every arm of a sweep with its trainable, without training anything.

    Raises:
        InputError: the trainable does not import; it refuses the configuration of an arm, or a value that the
            search may try; no arm has a searched parameter; two arms are the same.
    """
    try:
        description = description_of(load(sweep.trainable))
    except ValueError as error:
        raise sweep.origin.error([Problem(("trainable",), str(error))]) from error
    draft = _Draft(sweep, description)
    for check in (
        draft.resolve, draft.search, draft.share, draft.know_metrics, draft.look_at_data, draft.differ
    ):  # fmt: skip
        check()
        if draft.found:
            raise sweep.origin.error(draft.problems())
    arms = draft.arms()
    baseline = sweep.layout.baseline
    return Experiment(sweep, arms, next((arm for arm in arms if arm.levels == baseline), None))


class _Draft:
    """The arms while they are checked. What is wrong gathers in `found`, with the arms it is wrong in."""

    def __init__(self, sweep: Sweep, description: Description | None) -> None:
        self.sweep = sweep
        self.description = description
        self.patches = Patches(sweep)
        self.cells = sweep.layout.cells
        self.names = names(sweep.levels, self.cells)
        self.found: dict[Problem, list[int]] = {}
        self.configs: list[dict[str, Any]] = []
        self.models: list[BaseModel | None] = []
        self.spaces: list[dict[str, Parameter]] = [{} for _ in self.cells]
        self.data = ["" for _ in self.cells]
        self.seconds: list[float | None] = [None for _ in self.cells]
        self.resources = [sweep.resources for _ in self.cells]
        self.together = [1 for _ in self.cells]

    def arms(self) -> tuple[Arm, ...]:
        columns = zip(self.names, self.cells, self.configs, self.spaces, self.data, self.seconds, strict=True)
        locations = self.description.locations if isinstance(self.description, Locating) else ()
        return tuple(
            replace(Arm(*column), locations=tuple(locations), resources=resources, together=together)
            for column, resources, together in zip(columns, self.resources, self.together, strict=True)
        )

    def resolve(self) -> None:
        """Merge what each arm says, and let the trainable fill in its defaults."""
        for index, cell in enumerate(self.cells):
            config = self.sweep.config
            for _, patch in self.patches.of(cell)[1:]:
                config = merge(config, patch)
            model, problems = self._validated(config)
            for problem in problems:
                self._wrong(index, Problem(self.patches.blame(cell, problem.keys), problem.text))
            self.models.append(model)
            self.configs.append(config if model is None else model.model_dump(mode="json"))
            self._need(index, cell)
        if self.description is None:
            for index, cell in enumerate(self.cells):
                for keys, patch in self.patches.of(cell)[1:]:
                    for problem in likely_typos(self.sweep.config, patch):
                        self._wrong(index, problem.under(*keys))

    def _need(self, index: int, cell: Mapping[str, str]) -> None:
        """Lay over the resources what the levels of a cell say of them."""
        needs = self.sweep.resources.model_dump()
        for factor, level in cell.items():
            patch = self.sweep.factors[factor][level].get(RESOURCES, {})
            place = ("factors", factor, level, RESOURCES)
            if not isinstance(patch, Mapping):
                self._wrong(index, Problem(place, unexpected(patch, "a patch of the sweep's resources")))
                continue
            try:
                self.resources[index] = Resources.model_validate({**needs, **patch})
                needs = self.resources[index].model_dump()
            except ValidationError as error:
                for problem in problems_of(error, Resources):
                    self._wrong(index, problem.under(*place))

    def search(self) -> None:
        """Give every arm the searched parameters that it has, and try their values on it."""
        space = self.sweep.search.space if self.sweep.search else {}
        for path, parameter in space.items():
            having = [index for index in range(len(self.cells)) if self._has(index, path)]
            for index in having:
                self.spaces[index][path] = parameter
                for text in self._refused(index, path, parameter):
                    self._wrong(index, Problem(("search", "space", path), text))
            if not having:
                self.found[Problem(("search", "space", path), self._absent(path))] = self._all
        for number, point in enumerate(self.sweep.search.points if self.sweep.search else ()):
            for index, own in enumerate(self.spaces):
                config = self.configs[index]
                for path in (path for path in point if path in own):
                    config = set_path(config, path, point[path])
                for problem in self._validated(config)[1]:
                    text = f"with these values, {problem.sentence('')}"
                    self._wrong(index, Problem(("search", "points", str(number)), text))

    def share(self) -> None:
        """Refuse a parameter of an arm that the arm which is searched for it does not have."""
        if self.sweep.search is None:
            return
        places = leaders(self.cells, self.sweep.layout.baseline, self.sweep.search.share)
        for index, leader in enumerate(places):
            for path in (path for path in self.spaces[index] if path not in self.spaces[leader]):
                text = (
                    f"the arm {self.names[index]!r} would take {path} from the search of "
                    f"{self.names[leader]!r}, which does not have it, expected factors whose levels have no "
                    "searched parameters of their own"
                )
                self.found[Problem(("search", "share"), text)] = self._all

    def know_metrics(self) -> None:
        """Refuse a metric that no run will have, where the trainable knows its metrics."""
        if not isinstance(self.description, Measuring):
            return
        asked: dict[Keys, str] = {("report", "primary"): self.sweep.report.primary}
        if self.sweep.search is not None:
            if self.sweep.search.metrics is None:
                asked["search", "metric"] = self.sweep.search.metric
            for metric in self.sweep.search.metrics or ():
                if metric != SECONDS:
                    asked["search", "metrics", metric] = metric
        for index, model in enumerate(self.models):
            assert model is not None
            known = self.description.metrics(model)
            for keys, metric in asked.items():
                if metric not in known:
                    self._wrong(index, Problem(keys, unexpected(metric, "a metric that runs have", known)))

    def differ(self) -> None:
        """Refuse two arms that would train the same."""
        first: dict[str, int] = {}
        for index, arm in enumerate(self.arms()):
            same = first.setdefault(json.dumps([arm.defining(arm.config), arm.data], sort_keys=True), index)
            if same != index:
                text = (
                    f"the arms {self.names[same]!r} and {self.names[index]!r} have the same configuration, "
                    "expected arms that differ; take one out in design.exclude"
                )
                self.found[Problem(("factors",), text)] = self._all

    def look_at_data(self) -> None:
        """Ask the trainable which data each arm trains on, and how long that takes."""
        if self.description is None:
            return
        for index, model in enumerate(self.models):
            assert model is not None
            try:
                self.data[index] = self.description.fingerprint(model)
                self.seconds[index] = self.description.seconds(model)
                if isinstance(self.description, Joint):
                    self.together[index] = self.description.together(model)
            except (OSError, ValueError) as error:
                keys = self.patches.blame(self.cells[index], ("data",))
                self._wrong(index, Problem(keys, f"the data cannot be read: {' '.join(str(error).split())}"))

    def problems(self) -> list[Problem]:
        """What is wrong, with the arms named where it is wrong in some of those that it could be wrong in."""
        told = []
        for problem, wrong in self.found.items():
            which = _listed([self.names[index] for index in wrong])
            if not problem.keys:
                text = f"{problem.text} (in {which}); design.exclude takes out what cannot be run"
                told.append(Problem(("factors",), text))
            elif wrong != self._concerned(problem.keys):
                told.append(Problem(problem.keys, f"{problem.text} (in {which})"))
            else:
                told.append(problem)
        return told

    def _wrong(self, index: int, problem: Problem) -> None:
        arms = self.found.setdefault(problem, [])
        if index not in arms:
            arms.append(index)

    def _concerned(self, keys: Keys) -> list[int]:
        """The arms that the place of the file has a part in."""
        if keys[0] == "factors" and len(keys) > 2:
            return [index for index, cell in enumerate(self.cells) if cell[keys[1]] == keys[2]]
        if keys[:2] == ("search", "space"):
            return [index for index, space in enumerate(self.spaces) if keys[2] in space] or self._all
        return self._all

    @property
    def _all(self) -> list[int]:
        """Every arm."""
        return list(range(len(self.cells)))

    def _validated(self, config: Mapping[str, Any]) -> tuple[BaseModel | None, list[Problem]]:
        if self.description is None:
            return None, []
        try:
            return self.description.config.model_validate(config), []
        except ValidationError as error:
            return None, problems_of(error, self.description.config)

    def _has(self, index: int, path: str) -> bool:
        if self.description is not None:
            return has_path(self.configs[index], path)
        outer = path.rpartition(".")[0]
        return not outer or isinstance(get_path(self.configs[index], outer), Mapping)

    def _refused(self, index: int, path: str, parameter: Parameter) -> Iterator[str]:
        """Why an arm cannot take the values that the search may give."""
        config = self.configs[index]
        if isinstance(section := get_path(config, path), Mapping):
            inside = one_of(f"{path}.{key}" for key in section) if section else "the path of one value"
            yield f"this is a section of the configuration, expected {inside}"
            return
        if self.description is None and not has_path(config, path):
            for problem in likely_typos(config, set_path({}, path, None)):
                yield problem.text
        for value in parameter.probes:
            _, problems = self._validated(set_path(config, path, value))
            for problem in problems:
                if ".".join(problem.keys) == path:
                    whole = (
                        "; {int: [low, high]} draws whole numbers" if "whole number" in problem.text else ""
                    )
                    yield problem.text + whole
                else:
                    yield f"with {shown(value)} here, {Problem(problem.keys, problem.text).sentence('')}"
            if problems:
                return

    def _absent(self, path: str) -> str:
        """That no arm has a searched parameter, and what comes nearest."""
        known = dict.fromkeys(leaf for config in self.configs for leaf, _ in leaves(config))
        hint = near(path, known)
        outer = path.rpartition(".")[0]
        while outer and not any(has_path(config, outer) for config in self.configs):
            outer = outer.rpartition(".")[0]
        places = [get_path(config, outer) if outer else config for config in self.configs]
        if outer and all(place is None for place in places):
            return f"no arm has this parameter: {outer} is null in all of them"
        inside = dict.fromkeys(key for place in places if isinstance(place, Mapping) for key in place)
        below = (
            f"{outer} has the keys {', '.join(inside)}"
            if outer
            else f"config has the keys {', '.join(inside)}"
        )
        return f"no arm has this parameter: {below}{hint}"


def _listed(arms: Sequence[str]) -> str:
    """Some arms in words: the first three, and how many more."""
    named = [repr(name) for name in arms[:3]] + ([f"{len(arms) - 3} more"] if len(arms) > 3 else [])
    first = ", ".join(named[:-1])
    return f"arms {first} and {named[-1]}" if first else f"arm {named[-1]}"
