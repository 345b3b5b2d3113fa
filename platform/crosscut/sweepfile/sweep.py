"""A sweep: what a sweep file says, read and checked before anything is queued."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from crosscut.arms.arm import names
from crosscut.arms.designs import Cell, Layout
from crosscut.errors import InputError, Problem, ProblemsError, near, one_of, shown, unexpected
from crosscut.sweepfile import bundled, document
from crosscut.sweepfile.design import DesignSection
from crosscut.sweepfile.hypothesis import HypothesisField, problem
from crosscut.sweepfile.origin import Origin
from crosscut.sweepfile.patch import Override, has_path
from crosscut.sweepfile.problems import problems_of
from crosscut.sweepfile.reporting import Reporting
from crosscut.sweepfile.resources import Resources
from crosscut.sweepfile.scale import NEVER_PATCHED, Scales, is_about_scales, lay_over
from crosscut.sweepfile.scale import problems as problems_of_scales
from crosscut.sweepfile.search import Search
from crosscut.sweepfile.section import Config, Name, Section
from crosscut.sweepfile.seeds import Seeds
from crosscut_reports.contrast import ContrastError
from crosscut_reports.hypothesis import Hypothesis

__all__ = ["Reporting", "Resources", "Search", "Seeds", "Sweep", "SweepFile", "parse", "read"]

RETRIEVAL = "crosscut_trainables.retrieval:train"
"""The trainable that sweeps train unless they name another."""

UNREAD = Origin("sweep")
"""The origin of a sweep that was read from no file."""


_NAME = r"^[a-z0-9][a-z0-9._-]{0,99}$"
_TRAINABLE = r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*$"


def _named(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        expected = (
            "up to 100 small letters, digits, '.', '_' and '-', a letter or digit first: a folder is named so"
        )
        raise ValueError(unexpected(name, expected))
    return name


def _importable(trainable: str) -> str:
    if not re.fullmatch(_TRAINABLE, trainable):
        raise ValueError(unexpected(trainable, f"module:function, such as {RETRIEVAL}"))
    return trainable


class Sweep(Section):
    """A whole sweep file. Two sweeps are equal that say the same, wherever they were read."""

    name: Annotated[str, AfterValidator(_named), WithJsonSchema({"type": "string", "pattern": _NAME})]
    """Name of the sweep and of its folder: small letters, digits, '.', '_' and '-'."""
    question: Annotated[str, Field(min_length=1)] | None = None
    """What the sweep is to find out, in a sentence."""
    trainable: Annotated[
        str, AfterValidator(_importable), WithJsonSchema({"type": "string", "pattern": _TRAINABLE})
    ] = RETRIEVAL
    """What is trained: `module:function` of a callable train(config, session) -> Evaluation."""
    config: Config = Field(default_factory=dict)
    """The configuration that all arms share."""
    factors: Annotated[
        dict[Name, Annotated[dict[Name, Config], Field(min_length=1)]],
        Field(min_length=1),
    ]
    """What varies: factor → level → patch of the configuration. Later factors are laid over earlier ones."""
    design: DesignSection
    """How arms are made from the factors, and which of them is the baseline."""
    search: Search | None = None
    """The search that each arm has before its seeds run."""
    seeds: Seeds
    """The seeds that every arm runs with."""
    resources: Resources = Resources()
    """What each run gets. None of it changes what a record means."""
    report: Reporting = Reporting()
    """What is decided about the statistics before the runs."""
    hypotheses: tuple[HypothesisField, ...] = ()
    """Comparisons that are declared before the runs, such as {constraints: ccr vs none}, `all pairs`,
    {constraints: each vs none}, or {name: …, weights: {arm: weight}}; all else that the report compares is
    exploratory."""
    scale: Name | None = None
    """The scale that the sweep has, one of `scales`; without it the file is taken as it stands."""

    _origin: Origin = PrivateAttr(default=UNREAD)

    @property
    def origin(self) -> Origin:
        """Where the sweep was read from; no part of what it says."""
        return self._origin

    @property
    def source(self) -> str:
        """The file that the sweep was read from, as errors name it."""
        return self._origin.file

    @property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Every factor with its levels, in the order of the file."""
        return {factor: tuple(levels) for factor, levels in self.factors.items()}

    @property
    def layout(self) -> Layout:
        """The cells that become arms, and the baseline among them."""
        return self.design.lay_out(self.levels)

    @property
    def final_seeds(self) -> range:
        """The seeds that an arm may run with; it starts with the first `seeds.least` of them."""
        return range(self.seeds.first, self.seeds.first + self.seeds.most)

    def to_json(self) -> dict[str, Any]:
        """What the sweep says, with all defaults, in JSON types; `from_json` reads it back."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, data: Mapping[str, Any], origin: Origin = UNREAD) -> Sweep:
        """Check the content of a sweep file.

        Args:
            data: the file's mapping.
            origin: what errors name.

        Raises:
            InputError: with every error that was found, a line each.
        """
        try:
            sweep = cls.model_validate(dict(data))
        except ValidationError as error:
            raise origin.error(problems_of(error, cls)) from error
        sweep._origin = origin
        return sweep

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sweep) and self._text() == other._text()

    def __hash__(self) -> int:
        return hash(self._text())

    def _text(self) -> str:
        return json.dumps(self.to_json())

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Sweep:
        problems: list[Problem] = []
        cells: tuple[Cell, ...] = ()
        try:
            cells = self.layout.cells
        except ProblemsError as found:
            problems += [problem.under("design") for problem in found.problems]
        for index, hypothesis in enumerate(self.hypotheses):
            problems += [
                problem.under("hypotheses", str(index)) for problem in self._about(hypothesis, cells)
            ]
        if self.seeds.until is not None and not self.hypotheses:
            text = "nothing is declared that could be decided, expected hypotheses"
            problems.append(Problem(("seeds", "until"), text))
        problems += self._searched_and_set()
        problems += self._shared()
        if problems:
            raise ProblemsError(problems)
        return self

    def _about(self, hypothesis: Hypothesis, cells: Sequence[Cell]) -> Iterator[Problem]:
        if not cells:
            return
        try:
            hypothesis.contrasts(dict(zip(names(self.levels, cells), cells, strict=True)))
        except ContrastError as error:
            yield problem(error)
        if self.hypotheses.count(hypothesis) > 1:
            yield Problem((), "this hypothesis is declared more than once")

    def _searched_and_set(self) -> Iterator[Problem]:
        """A search would override what a factor varies."""
        for path in self.search.space if self.search else ():
            setters = [
                f"factors.{factor}.{level}"
                for factor, levels in self.factors.items()
                for level, patch in levels.items()
                if has_path(patch, path)
            ]
            if setters:
                verb = "sets" if len(setters) == 1 else "set"
                text = (
                    f"{' and '.join(setters)} {verb} this, which a search would override; do one of the two"
                )
                yield Problem(("search", "space", path), text)

    def _shared(self) -> Iterator[Problem]:
        """Factors that are searched together and do not exist."""
        for index, factor in enumerate(self.search.share if self.search else ()):
            if factor not in self.factors:
                hint = near(factor, self.factors)
                text = f"there is no factor {factor!r}, expected {one_of(self.factors)}{hint}"
                yield Problem(("search", "share", str(index)), text)


PATCHABLE = tuple(key for key in Sweep.model_fields if key not in NEVER_PATCHED)
"""The keys that the patch of a scale may have."""


class SweepFile(Sweep):
    """A sweep with the scales that its file offers. They are no part of what the sweep says: the one in use is
    laid over the file already, the others do nothing."""

    scales: Scales | None = Field(default=None, exclude=True)
    """Scales that the sweep can be run at: scale → patch of this file."""

    @field_validator("scales")
    @classmethod
    def _patches_of_a_sweep(cls, scales: Scales | None) -> Scales | None:
        found = list(problems_of_scales(scales or {}, PATCHABLE))
        if found:
            raise ProblemsError(found)
        return scales


def read(source: str, overrides: Sequence[str] = ()) -> Sweep:
    """Read a sweep file.

    Args:
        source: the path of a file, or the name of a bundled sweep.
        overrides: `key=value` texts, each put in the place of what the file says, with its scale.

    Raises:
        InputError: the file is missing, is not YAML, or says something wrong.
    """
    file = file_of(source)
    return parse(document.read_text(file, str(file)), str(file), overrides)


def parse(text: str, where: str, overrides: Sequence[str] = ()) -> Sweep:
    """The sweep that the text of a sweep file says, as `read` reads it; `where` names the file in errors.

    Raises:
        InputError: the text is not YAML, or says something wrong.
    """
    data = document.load(text, where)
    asked = [Override.parse(argument) for argument in overrides]
    # What the command line says wins over the scale, wherever on the line the scale was picked.
    data, origin = _set(data, [override for override in asked if is_about_scales(override)], Origin(where))
    data, origin = lay_over(data, origin, PATCHABLE)
    data, origin = _set(data, [override for override in asked if not is_about_scales(override)], origin)
    return SweepFile.from_json(data, origin)


def _set(
    data: dict[str, Any], overrides: Sequence[Override], origin: Origin
) -> tuple[dict[str, Any], Origin]:
    places = list(origin.overrides)
    for override in overrides:
        data, keys = override.apply(data)
        places.append((keys, override.where))
    return data, Origin(origin.file, tuple(places))


def file_of(source: str) -> Path:
    """The file that a path, or the name of a bundled sweep, stands for. Raises InputError where there is none."""
    file = Path(source)
    if file.is_file():
        return file
    found = bundled.path(source)
    if found is not None:
        return found
    if file.is_dir():
        raise InputError.at(
            source, "", "this is a folder, expected a sweep file or the name of a bundled sweep"
        )
    beside = file.parent.glob("*.y*ml") if file.parent.is_dir() else ()
    names = bundled.names()
    hint = near(source, [*(str(path) for path in beside), *names])
    known = f"the bundled sweeps are {', '.join(names)}" if names else "there are no bundled sweeps"
    raise InputError.at(
        source, "", f"no such file, and no bundled sweep called {shown(source)}; {known}{hint}"
    )
