"""Where the places of an image lie: rows and columns of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """Where a picture that a model sees lies in the image that it is of, in pixels of the resized image."""

    left: int
    """Where the picture begins; below 0 where it is wider than the image."""
    top: int
    width: int
    """Of the whole resized image."""
    height: int


@dataclass(frozen=True)
class Grid:
    """Cells of one size, row by row from the upper left corner of a picture."""

    down: int
    """Rows."""
    across: int
    """Columns."""
    height: float
    """Of a cell, in pixels of the picture."""
    width: float

    def __len__(self) -> int:
        return self.down * self.across

    def boxes(self, frame: Frame) -> NDArray[np.float32]:
        """(cells, 4) what each cell covers of the whole image, as (x1, y1, x2, y2) in shares of it, 0 to 1."""
        rows, columns = np.divmod(np.arange(len(self), dtype=np.float64), self.across)
        corners = np.stack([columns, rows, columns + 1, rows + 1], 1)
        corners *= [self.width, self.height, self.width, self.height]
        corners += [frame.left, frame.top, frame.left, frame.top]
        corners /= [frame.width, frame.height, frame.width, frame.height]
        boxes: NDArray[np.float32] = np.clip(corners, 0, 1).astype(np.float32)
        return boxes
