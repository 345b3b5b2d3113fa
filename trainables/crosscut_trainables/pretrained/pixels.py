"""The pictures that a pretrained model sees, made of images when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.pictures import Picture, Pictures
from crosscut_trainables.pretrained.grid import Frame


class Pixels:
    """An array (images, 3, H, W) of float32 whose rows an image processor makes as they are read; none is kept."""

    def __init__(self, scenes: Pictures, processor: Any) -> None:
        """Raises ValueError where images are neither grey nor RGB."""
        self.scenes = scenes
        self._processor = processor
        first = _coloured(scenes[0])
        blank = [np.zeros_like(first)]
        self.shape: tuple[int, ...] = (len(scenes), *self._processed(blank).shape[1:])
        height, width = self._processed(blank, do_center_crop=False, do_pad=False).shape[2:]
        cropped = bool(getattr(processor, "do_center_crop", False))
        if not isinstance(scenes, np.ndarray):
            # Images of several sizes are cropped each in its own way.
            height, width = self.shape[2:]
        self.frame = Frame(
            left=(width - self.shape[3]) // 2 if cropped else 0,
            top=(height - self.shape[2]) // 2 if cropped else 0,
            width=width,
            height=height,
        )
        """Where the pictures lie in the images; of image files, whose sizes differ, the picture stands for the
        image."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """(n, 3, H, W) the pictures of the images at `index`.

        Raises:
            ValueError: the processor makes pictures of several sizes of them.
        """
        asked = [_coloured(picture) for picture in self.scenes[index]]
        if not asked:
            return np.zeros((0, *self.shape[1:]), np.float32)
        return self._processed(asked)

    def _processed(self, pictures: list[Picture], **options: bool) -> NDArray[np.float32]:
        made = self._processor(images=pictures, input_data_format="channels_last", **options)["pixel_values"]
        shapes = sorted({np.asarray(picture).shape for picture in made})
        if len(shapes) > 1:
            raise ValueError(
                f"the image processor makes pictures of several sizes ({shapes[0]} and {shapes[-1]}), expected "
                "one that crops or resizes all to one"
            )
        return np.asarray(made, np.float32)


def _coloured(picture: Picture) -> Picture:
    """(height, width, 3), of a grey picture as well."""
    if picture.ndim == 2:
        return np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2:] != (3,):
        raise ValueError(
            f"found an image of shape {picture.shape}, expected (height, width), grey, or (height, width, 3), RGB"
        )
    return picture
