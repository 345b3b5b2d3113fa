"""Attention metrics as rows: precision, recall and F1 of each arm, split and pair of thresholds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

PARTS = ("precision", "recall", "f1")
_NAME = re.compile(r"(.+)/attention_(precision|recall|f1)(?:_iou_([\d.e-]+))?(?:_weight_([\d.e-]+))?")

Spread = tuple[float, float]
"""Mean, and standard deviation over seeds."""


@dataclass(frozen=True)
class AttentionRow:
    """One arm on one split at one pair of thresholds."""

    arm: str
    split: str
    iou: float | None = None
    """Overlap above which a region is relevant; None: the one that the run was set to."""
    weight: float | None = None
    """Weight above which a region is attended; None: the one that the run was set to."""
    parts: dict[str, Spread] = field(default_factory=dict)
    """Of `PARTS` those that are known, in percent."""

    @property
    def swept(self) -> bool:
        """Whether a threshold is one of a sweep."""
        return (self.iou, self.weight) != (None, None)


def rows(attention: Mapping[str, Mapping[str, Spread]]) -> list[AttentionRow]:
    """All rows, by split, then thresholds, then arm; metrics that have other names are in none of them."""
    found: dict[tuple[str, float, float, int], AttentionRow] = {}
    for place, (arm, metrics) in enumerate(attention.items()):
        for name, spread in metrics.items():
            if match := _NAME.fullmatch(name):
                split, part, iou, weight = match.groups()
                # The thresholds that a run was set to come before those of a sweep.
                key = (split, float(iou or -1), float(weight or -1), place)
                at = (None if iou is None else float(iou), None if weight is None else float(weight))
                found.setdefault(key, AttentionRow(arm, split, *at)).parts[part] = spread
    return [found[key] for key in sorted(found)]


def others(attention: Mapping[str, Mapping[str, Spread]]) -> list[str]:
    """Metrics that are in no row, in order of appearance."""
    names = dict.fromkeys(name for metrics in attention.values() for name in metrics)
    return [name for name in names if not _NAME.fullmatch(name)]
