"""The consistency of a sweep's runs: whether they are of one kind, and what searches have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from crosscut.arm_plan import ArmPlan
from crosscut.plan import Plan
from crosscut.records.record import Record
from crosscut.scores import finished
from crosscut_reports.splits import SEEN, split_of

_EDGE = 0.02
"""A best value nearer to an end than this share of its range lies at it."""


def mixtures(plan: Plan, runs: Sequence[Record]) -> dict[str, dict[str, int]]:
    """What runs may differ in → value → how many of `runs` have it, in order of appearance."""
    found: dict[str, dict[str, int]] = {}
    for label in ("commit", "device", "workers", "declaration"):
        found[label] = _counted(record.provenance.get(label) for record in runs)
    found["versions"] = _counted(_differing([record.provenance.get("versions", {}) for record in runs]))
    found["data"] = _counted(arm.arm.data or None for arm in plan.arms)
    return found


def _counted(values: Iterable[Any]) -> dict[str, int]:
    return dict(Counter(str(value) for value in values if value is not None))


def _differing(versions: Sequence[Mapping[str, str]]) -> Iterator[str | None]:
    """Each run's versions of the packages that not all runs have one version of, as a text."""
    packages = dict.fromkeys(name for version in versions for name in version)
    mixed = [name for name in packages if len({version.get(name) for version in versions}) > 1]
    for version in versions:
        yield ", ".join(f"{name} {version.get(name, 'unknown')}" for name in mixed) or None


def seen_in_search(plan: Plan) -> list[str]:
    """Metrics of splits that are not for choosing by, which search trials measured or reported."""
    names: dict[str, None] = {}
    for arm in plan.arms:
        for record in arm.trials:
            if record is not None:
                names |= dict.fromkeys(record.metrics)
                names |= dict.fromkeys(name for step in record.history for name in step.metrics)
    primary = split_of(plan.experiment.sweep.report.primary)
    judged = {split_of(name) for arm in plan.arms for record in arm.finals if record for name in record.ranks}
    return [name for name in names if split_of(name) in {primary, *judged} - {*SEEN, ""}]


def same_training(plan: Plan) -> list[str]:
    """Arms whose runs reported what the baseline's did, step by step, under every seed that both have."""
    baseline = plan.experiment.baseline
    here = next((arm for arm in plan.arms if baseline is not None and arm.arm.name == baseline.name), None)
    if here is None:
        return []
    return [arm.arm.name for arm in plan.arms if arm is not here and _same(arm, here)]


def _same(arm: ArmPlan, other: ArmPlan) -> bool:
    pairs = [
        (one.history, two.history)
        for one, two in zip(arm.finals, other.finals, strict=False)
        if finished(one) and finished(two) and one is not None and two is not None and one.history
    ]
    return bool(pairs) and all(one == two for one, two in pairs)


def edges(arm: ArmPlan) -> list[str]:
    """Searched parameters whose best value lies at an end of its range: `weight at its highest, 10`.

    None of an arm that takes its values from another, which has them already.
    """
    if arm.leader is not None:
        return []
    found = []
    for path, value in (arm.values or {}).items():
        parameter = arm.arm.space.get(path)
        if parameter is None or parameter.kind == "choice":
            continue
        place = parameter.place(value)
        if place <= _EDGE or place >= 1 - _EDGE:
            found.append(f"{path} at its {'lowest' if place <= _EDGE else 'highest'}, {value:g}")
    return found
