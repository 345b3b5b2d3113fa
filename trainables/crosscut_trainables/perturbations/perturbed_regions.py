"""Region features that are perturbed as they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.split import Source

Change = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""Makes new regions of an image's (regions, features) and the image's number."""


class PerturbedRegions:
    """An array (images, regions, features) of float32 in place of `source`, of which it keeps nothing.

    Only the images asked for are read. The same image gives the same numbers whatever is asked beside it.
    """

    def __init__(self, source: Source, change: Change) -> None:
        self._source = source
        self._change = change
        self.shape: tuple[int, ...] = tuple(source.shape)
        self.dtype = np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        """(n, regions, features) of the images at `index`, a slice, numbers or a mask; (regions, features) of one.

        Raises:
            IndexError: there is no such image.
        """
        numbers = np.arange(len(self))[index]
        if numbers.ndim == 0:
            one: NDArray[np.float32] = self[numbers[None]][0]
            return one
        read = np.array(self._source[index if isinstance(index, slice) else numbers], np.float32, order="C")
        for place, number in enumerate(numbers.tolist()):
            read[place] = self._change(read[place], number)
        return read
