"""The design of a sweep file, and the cells that it makes of the factors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from crosscut.arms.designs import DESIGNS, Cell, Factors, Given, Layout
from crosscut.errors import Problem, ProblemsError, near, one_of, unexpected
from crosscut.sweepfile.section import Name, Section


def _kind(kind: str) -> str:
    if kind not in DESIGNS:
        raise ValueError(unexpected(kind, one_of(DESIGNS), DESIGNS))
    return kind


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


_RESOLUTIONS: Mapping[Any, int] = {3: 3, 4: 4, 5: 5, "III": 3, "IV": 4, "V": 5}


def _resolution(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str) or value not in _RESOLUTIONS:
        names = [name for name in _RESOLUTIONS if isinstance(name, str)]
        raise ValueError(unexpected(value, f"3, 4 or 5, or {', '.join(names[:-1])} or {names[-1]}", names))
    return _RESOLUTIONS[value]


_LEVELS_FORM = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "minProperties": 1,
}
_RULE_FORM = {
    "type": "object",
    "additionalProperties": {
        "type": ["string", "number", "boolean", "array"],
        "items": {"type": ["string", "number", "boolean"]},
        "minItems": 1,
    },
    "minProperties": 1,
}

Levels = Annotated[dict[Name, Name], Field(min_length=1), WithJsonSchema(_LEVELS_FORM)]
"""Factor → level."""

Rule = Annotated[
    dict[Name, Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(min_length=1)]],
    Field(min_length=1),
    WithJsonSchema(_RULE_FORM),
]
"""Factor → a level or several; an arm matches that has one of them for every factor of the rule."""


Resolution = Annotated[
    int | None, BeforeValidator(_resolution), WithJsonSchema({"enum": [*_RESOLUTIONS, None]})
]
"""What a fraction tells apart, as a number; sweep files may have it in Roman numerals."""


class DesignSection(Section):
    """Which combinations of levels are run."""

    kind: Annotated[str, AfterValidator(_kind), WithJsonSchema({"type": "string", "enum": list(DESIGNS)})]
    """How arms are made from the factors."""
    baseline: Levels | None = None
    """The arm that others are compared with: a level for every factor. `leave-one-out` has the full arm by
    default, `add-one-in` the bare one; there it may name some factors only."""
    exclude: tuple[Rule, ...] = ()
    """Combinations that are not run."""
    arms: tuple[Levels, ...] = ()
    """The arms of the explicit design. A factor that is not named has the baseline's level."""
    resolution: Resolution = None
    """What the fractional design tells apart: main effects from one another (3 or III), also from two-factor
    interactions (4 or IV), also these from one another (5 or V)."""

    def lay_out(self, factors: Factors) -> Layout:
        """The cells that are run, in order, with the baseline among them.

        Raises:
            ProblemsError: a factor or level does not exist, the baseline is none of the arms, a rule excludes
                nothing, or fewer than two arms are left; with keys below the design.
        """
        unknown = list(self._unknown(factors))
        if unknown:
            raise ProblemsError(unknown)
        for key, kind, what in (("arms", "explicit", "arms"), ("resolution", "fractional", "a resolution")):
            if getattr(self, key) and self.kind != kind:
                text = f"only the {kind} design has {what}, and this one is {self.kind}"
                raise ProblemsError([Problem((key,), text)])
        layout = DESIGNS[self.kind](factors, Given(self.baseline, self.arms, self.resolution))
        cells = self._without_excluded(layout)
        if layout.baseline is not None and layout.baseline not in cells:
            raise ProblemsError([_no_arm(layout.baseline)])
        if len(cells) < 2:
            count = "one arm" if cells else "no arm"
            text = f"the design has {count}, expected at least two: there is nothing to compare"
            raise ProblemsError([Problem((), text)])
        return replace(layout, cells=cells)

    def _without_excluded(self, layout: Layout) -> tuple[Cell, ...]:
        idle = [
            index
            for index, rule in enumerate(self.exclude)
            if not any(_matches(c, rule) for c in layout.cells)
        ]
        if idle:
            text = "no arm of the design matches this, expected a rule that removes something"
            raise ProblemsError([Problem(("exclude", str(index)), text) for index in idle])
        cells = tuple(cell for cell in layout.cells if not any(_matches(cell, rule) for rule in self.exclude))
        if layout.baseline is not None:
            for index, rule in enumerate(self.exclude):
                if layout.baseline in layout.cells and _matches(layout.baseline, rule):
                    written = _written(layout.baseline)
                    text = f"this removes the baseline ({written}), which others are compared with"
                    raise ProblemsError([Problem(("exclude", str(index)), text)])
        return cells

    def _unknown(self, factors: Factors) -> Iterator[Problem]:
        """Problems of all names of factors and levels that do not exist."""
        named: list[tuple[tuple[str, ...], Mapping[str, str | tuple[str, ...]]]] = []
        if self.baseline is not None:
            named.append((("baseline",), self.baseline))
        named += [(("exclude", str(index)), rule) for index, rule in enumerate(self.exclude)]
        named += [(("arms", str(index)), arm) for index, arm in enumerate(self.arms)]
        for keys, levels in named:
            for factor, level in levels.items():
                yield from unknown_level(factors, factor, level, (*keys, factor))


def unknown_level(
    factors: Factors, factor: str, levels: str | tuple[str, ...], keys: tuple[str, ...]
) -> Iterator[Problem]:
    """Problems at `keys` where the factor, or one of the levels of it, does not exist."""
    if factor not in factors:
        yield Problem(
            keys, f"there is no factor {factor!r}, expected {one_of(factors)}{near(factor, factors)}"
        )
        return
    for level in (levels,) if isinstance(levels, str) else levels:
        if level not in factors[factor]:
            known = factors[factor]
            text = f"the factor {factor} has no level {level!r}, expected {one_of(known)}{near(level, known)}"
            yield Problem(keys, text)


def _matches(cell: Cell, rule: Mapping[str, tuple[str, ...]]) -> bool:
    return all(cell[factor] in levels for factor, levels in rule.items())


def _no_arm(baseline: Cell) -> Problem:
    return Problem(
        ("baseline",), f"no arm of the design has these levels ({_written(baseline)}), expected one that has"
    )


def _written(cell: Cell) -> str:
    return ", ".join(f"{factor}: {level}" for factor, level in cell.items())
