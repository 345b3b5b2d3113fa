"""Whole images that are perturbed as they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from crosscut_trainables.data.pictures import Picture, Pictures

Change = Callable[[Picture, int], Picture]
"""Makes a perturbed copy of a picture, given its number as well."""


class PerturbedPictures:
    """Pictures in place of `source`, of which it keeps nothing.

    Only the pictures asked for are read. The same one is perturbed in the same way whatever is asked beside it.
    """

    def __init__(self, source: Pictures, change: Change) -> None:
        self._source = source
        self._change = change

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, index: Any) -> Any:
        """The picture of a number; for a slice, numbers (n,) or a mask an array where `source` is one, or a list.

        Raises:
            IndexError: there is no such picture.
        """
        numbers = np.arange(len(self))[index]
        if numbers.ndim == 0:
            return self._change(self._source[int(numbers)], int(numbers))
        read = self._source[index if isinstance(index, slice) else numbers]
        made = [self._change(picture, number) for picture, number in zip(read, numbers.tolist(), strict=True)]
        return np.array(made, np.uint8).reshape(read.shape) if isinstance(read, np.ndarray) else made
