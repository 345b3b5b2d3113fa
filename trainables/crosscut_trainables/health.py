"""The health of a training: the epochs in which it stood still, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Health:
    """What a reader of a run's result should know of its training. Epochs count from 1."""

    collapsed: dict[int, float] = field(default_factory=dict)
    """Epochs in which every batch had the loss of a model that scores all pairs alike → that loss, 2·B·m for a
    triplet loss of hardest negatives with margin m over B pairs."""
    alike: list[int] = field(default_factory=list)
    """Epochs after which all pairs of the dev split had one score."""
    still: list[int] = field(default_factory=list)
    """Epochs in which the gradient of every batch was zero."""

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on each way in which training stood still."""
        notes = []
        if self.collapsed:
            loss = next(iter(self.collapsed.values()))
            notes.append(
                f"collapsed in {epochs(list(self.collapsed))}: the loss of every batch was {loss:g}, that of a "
                "model that scores all pairs alike"
            )
        if self.alike:
            notes.append(f"scored all pairs of the dev split alike after {epochs(self.alike)}")
        if self.still:
            notes.append(f"learnt nothing in {epochs(self.still)}: every gradient was zero")
        return tuple(notes)


def epochs(numbers: Sequence[int]) -> str:
    """Epochs in words.

    >>> epochs([3])
    'epoch 3'
    >>> epochs([1, 2, 3, 7])
    'epochs 1 to 3 and 7'
    """
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts: list[str] = []
    for first, *rest in runs:
        parts += [f"{first} to {rest[-1]}"] if len(rest) > 1 else [str(number) for number in (first, *rest)]
    listed = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    return f"epoch{'s' if len(numbers) > 1 else ''} {listed}"
