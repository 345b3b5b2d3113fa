"""Pictures cut into square patches, as they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.pictures import Pictures, resized


class CutPictures:
    """An array (images, patches, pixels of a patch) of values from 0 to 1, made as it is asked for.

    Patches go row by row; the pixels of one as well, with the colours of a pixel side by side.
    """

    def __init__(self, scenes: Pictures, patch: int, size: int | None) -> None:
        """Raises ValueError where images have several sizes and none is named, once they are read."""
        self._scenes, self._patch, self._size = scenes, patch, size
        first = self._picture(scenes[0])
        self._height, self._width, colours = first.shape
        self._down, self._across = -(-self._height // patch), -(-self._width // patch)
        self.shape: tuple[int, ...] = (len(scenes), self._down * self._across, patch**2 * colours)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(patches, 4) what each covers of the image, in shares of it."""
        rows, columns = np.divmod(np.arange(self.shape[1], dtype=np.float32), np.float32(self._across))
        corners = np.stack([columns, rows, columns + 1, rows + 1], 1) * np.float32(self._patch)
        sides = np.array([self._width, self._height, self._width, self._height], np.float32)
        boxes: NDArray[np.float32] = np.minimum(corners / sides, 1)
        return boxes

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        """(n, patches, pixels) of the images at `index`, or (patches, pixels) of one."""
        if isinstance(index, int | np.integer):
            one: NDArray[np.float32] = self[np.array([index])][0]
            return one
        pictures = [self._picture(picture) for picture in self._scenes[index]]
        down, across, patch = self._down, self._across, self._patch
        filled = np.zeros((len(pictures), down * patch, across * patch, *self._colours), np.float32)
        for place, picture in zip(filled, pictures, strict=True):
            if picture.shape[:2] != (self._height, self._width):
                raise ValueError(
                    f"encoder.image.size: found images of {self._height} by {self._width} and of "
                    f"{picture.shape[0]} by {picture.shape[1]} pixels, expected a size to bring them to"
                )
            place[: self._height, : self._width] = picture.astype(np.float32) / np.float32(255)
        cut = filled.reshape(len(pictures), down, patch, across, patch, -1).swapaxes(2, 3)
        return cut.reshape(len(pictures), *self.shape[1:])

    @property
    def _colours(self) -> tuple[int, ...]:
        return (self.shape[2] // self._patch**2,)

    def _picture(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, colours)"""
        if self._size is not None:
            picture = resized(picture, self._size)
        return picture[..., None] if picture.ndim == 2 else picture
