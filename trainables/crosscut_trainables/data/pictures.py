"""Pictures: the whole images of a split, in memory or in files that are read as they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(height, width) grey, or (height, width, 3) RGB."""


class Pictures(Protocol):
    """The whole images of a split: an array (images, height, width), or with a last axis of 3, or files."""

    def __len__(self) -> int:
        """Number of images."""
        ...

    def __getitem__(self, index: Any) -> Any:
        """One picture for a number, some for an array of numbers or a slice."""
        ...


class PictureFiles:
    """Image files, decoded to RGB as they are asked for; none is kept.

    Raises ValueError, when one is asked for, for a file that is no image, with its path.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Any:
        """A (height, width, 3) uint8 array for a number, a list of them for an array of numbers or a slice."""
        if isinstance(index, int | np.integer):
            return self._read(self.paths[index])
        numbers = range(*index.indices(len(self))) if isinstance(index, slice) else index
        return [self._read(self.paths[number]) for number in numbers]

    def _read(self, path: Path) -> Picture:
        from PIL import Image, ImageOps

        try:
            with Image.open(path) as opened:
                # A photograph may say in its header that it lies on its side.
                upright = ImageOps.exif_transpose(opened)
                return np.asarray(upright.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            # A damaged file may end in any of these.
            raise ValueError(f"{path}: found no image that can be read ({error})") from error


def resized(picture: Picture, side: int) -> Picture:
    """The whole picture brought to `side` × `side` pixels, bilinear; its proportions are not kept."""
    from PIL import Image

    bilinear = Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(picture).resize((side, side), bilinear))
