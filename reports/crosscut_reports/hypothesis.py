"""Hypotheses: comparisons that are declared before the runs, in the form that sweep files have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

from crosscut_reports.contrast import (
    ARM,
    Contrast,
    ContrastError,
    Levels,
    factor_levels,
    hypothesis,
    near,
)

ALL_PAIRS = "all pairs"
"""The text that stands for all pairs of a factor's levels, or of arms, the later one on the left."""
EACH = "each vs "
"""What begins a text that compares all other levels, or arms, with one."""
FORM = "factors with two of their levels, such as {constraints: ccr vs none}"
_KEYS = ("compare", "weights", "name", "metrics", "splits", "family")
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Hypothesis:
    """One comparison, or several of one form; what it makes is declared together."""

    compare: Mapping[str, str] = field(default_factory=dict)
    """Factor → `left vs right`, `all pairs`, `each vs right`, or one level to look within; see
    `contrast.hypothesis`. The key `arm` compares arms by name."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Arm → weight, in place of `compare`; they sum to 0."""
    name: str | None = None
    """What the report calls it, in place of what is compared."""
    metrics: tuple[str, ...] = ()
    """Metrics that it is about; empty for the primary one."""
    splits: str | None = None
    """`there vs here`: how much more it is on one split than on another; None for the metrics' own splits."""
    family: str | None = None
    """Hypotheses of one family are adjusted together; None for the one of all that name none."""

    @classmethod
    def parse(cls, found: object) -> Hypothesis:
        """Read the form of sweep files: `{factor: "left vs right"}`, or a mapping with `compare` or `weights`.

        Raises:
            ContrastError: it has another form.
        """
        if isinstance(found, Hypothesis):
            return found
        if not isinstance(found, Mapping) or not found:
            raise ContrastError(f"found {_shown(found)}, expected {FORM}")
        if not any(isinstance(found.get(key), Mapping) for key in ("compare", "weights")):
            return cls(compare=_texts(found))
        for key in found:
            if key not in _KEYS:
                raise ContrastError(
                    f"unknown key, expected one of {', '.join(_KEYS)}{near(str(key), _KEYS)}", key
                )
        if "compare" in found and "weights" in found:
            raise ContrastError("found both compare and weights, expected one of them")
        parsed = cls(
            compare=_texts(found["compare"], "compare") if "compare" in found else {},
            weights=_weights(found["weights"]) if "weights" in found else {},
            name=_text(found, "name"),
            metrics=_metrics(found.get("metrics")),
            splits=_splits(found),
            family=_text(found, "family"),
        )
        if parsed.weights and parsed.name is None:
            raise ContrastError("this is missing; weights of arms need a name", "name")
        return parsed

    def plain(self) -> dict[str, Any]:
        """The form of sweep files, the shortest that says the same."""
        if self.compare and (self.name, self.metrics, self.splits, self.family) == (None, (), None, None):
            return dict(self.compare)
        found: dict[str, Any] = (
            {"compare": dict(self.compare)} if self.compare else {"weights": dict(self.weights)}
        )
        found |= {} if self.name is None else {"name": self.name}
        found |= {"metrics": list(self.metrics)} if self.metrics else {}
        found |= {} if self.splits is None else {"splits": self.splits}
        return found | ({} if self.family is None else {"family": self.family})

    @property
    def sides(self) -> tuple[str, str]:
        """The two splits. Raises ValueError where it names none."""
        there, here = (self.splits or "").split(" vs ")
        return there.strip(), here.strip()

    def contrasts(self, levels: Levels) -> list[Contrast]:
        """The contrasts that it declares of these arms.

        Of several (`all pairs`, `each vs`) those are left out whose levels never meet in one cell of the other
        factors; each has a name of its own, with `name` before it.

        Raises:
            ContrastError: an arm, a factor or a level does not exist, or no two arms can be compared so.
        """
        if self.weights:
            return [self._marked(self._weighted(levels), several=False)]
        asked = list(self._spelled(levels))
        found = []
        for one in asked:
            try:
                found.append(hypothesis(one, levels))
            except ContrastError:
                if len(asked) == 1:
                    raise
        if not found:
            hypothesis(asked[0], levels)
        return [self._marked(one, several=len(asked) > 1) for one in found]

    def _marked(self, contrast: Contrast, *, several: bool) -> Contrast:
        name = contrast.name
        if self.name is not None:
            name = f"{self.name}: {name}" if several else self.name
        return replace(contrast, name=name, metrics=self.metrics, family=self.family)

    def _weighted(self, levels: Levels) -> Contrast:
        for arm in self.weights:
            if arm not in levels:
                there = ", ".join(levels)
                raise ContrastError(
                    f"there is no arm '{arm}', expected one of {there}{near(arm, levels)}", "weights"
                )
        kept = {arm: self.weights[arm] for arm in levels if self.weights.get(arm)}
        return Contrast(self.name or "", kept, declared=True, kind="hypothesis")

    def _spelled(self, levels: Levels) -> Iterator[dict[str, str]]:
        """`compare` without `all pairs` and `each vs`: one mapping a comparison."""
        known: dict[str, tuple[str, ...]] = dict(factor_levels(levels))
        known.setdefault(ARM, tuple(levels))
        options = [_options(key, text, known.get(key, ())) for key, text in self.compare.items()]
        for texts in product(*options):
            yield dict(zip(self.compare, texts, strict=True))


def contrasts(hypotheses: Sequence[Hypothesis | Mapping[str, Any]], levels: Levels) -> list[Contrast]:
    """All contrasts that hypotheses declare of these arms. Raises ContrastError as `Hypothesis.contrasts`."""
    return [contrast for one in hypotheses for contrast in Hypothesis.parse(one).contrasts(levels)]


def name_of(hypothesis: Hypothesis | Mapping[str, Any]) -> str:
    """What it is called, or what it compares: `constraints: ccr vs none, backbone: scan-t2i`."""
    parsed = Hypothesis.parse(hypothesis)
    compared = ", ".join(f"{factor}: {text}" for factor, text in parsed.compare.items())
    return parsed.name or (f"{compared}, {parsed.splits}" if parsed.splits else compared)


def _options(factor: str, text: str, known: Sequence[str]) -> list[str]:
    if text in known:
        return [text]
    if text == ALL_PAIRS and known:
        if len(known) < 2:
            raise ContrastError(
                f"found '{text}', expected two levels or more, and there is {known[0]}", factor
            )
        return [f"{right} vs {left}" for left, right in combinations(known, 2)]
    if text.startswith(EACH) and (right := text.removeprefix(EACH).strip()) and "each" not in known:
        if right in known and len(known) > 1:
            return [f"{left} vs {right}" for left in known if left != right]
        # Says what is wrong with the right side, as for any pair.
        return [f"{next((left for left in known if left != right), right)} vs {right}"]
    return [text]


def _texts(found: Mapping[Any, Any], *keys: str) -> dict[str, str]:
    if not found:
        raise ContrastError(f"found an empty mapping, expected {FORM}", *keys)
    for factor, text in found.items():
        if not isinstance(text, str) or not text.strip():
            raise ContrastError(f"found {_shown(text)}, expected {FORM}", *keys, str(factor))
    return {str(factor): text.strip() for factor, text in found.items()}


def _weights(found: object) -> dict[str, float]:
    if not isinstance(found, Mapping) or not found:
        raise ContrastError(f"found {_shown(found)}, expected arms with their weights", "weights")
    for arm, weight in found.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise ContrastError(f"found {_shown(weight)}, expected a number", "weights", str(arm))
    weights = {str(arm): float(weight) for arm, weight in found.items()}
    total, size = math.fsum(weights.values()), math.fsum(map(abs, weights.values()))
    if not size or abs(total) > _ROUNDING * size:
        raise ContrastError(
            f"found a sum of {total:g}, expected weights that are not all 0 and sum to 0", "weights"
        )
    return weights


def _text(found: Mapping[Any, Any], key: str) -> str | None:
    value = found.get(key)
    if key not in found:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ContrastError(f"found {_shown(value)}, expected a text", key)
    return value.strip()


def _splits(found: Mapping[Any, Any]) -> str | None:
    text = _text(found, "splits")
    if text is None:
        return None
    sides = [side.strip() for side in text.split(" vs ")]
    if len(sides) != 2 or not all(sides) or sides[0] == sides[1]:
        raise ContrastError(f"found {_shown(text)}, expected two splits, such as 'shifted vs test'", "splits")
    return " vs ".join(sides)


def _metrics(found: object) -> tuple[str, ...]:
    if found is None:
        return ()
    names = [found] if isinstance(found, str) else found
    if not isinstance(names, list | tuple) or not names or not all(isinstance(n, str) and n for n in names):
        raise ContrastError(
            f"found {_shown(found)}, expected metrics, such as [test/rsum, test/i2t_r1]", "metrics"
        )
    return tuple(dict.fromkeys(names))


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    return "nothing" if value is None else str(value)[:60]
