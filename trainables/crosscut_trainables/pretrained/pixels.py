"""The pictures that a pretrained model sees, made of images when they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.pretrained.grid import Frame


class Pixels:
    """An array (images, 3, H, W) of float32 whose rows an image processor makes as they are read; none is kept."""

    def __init__(self, scenes: NDArray[np.uint8], processor: Any) -> None:
        """`scenes` are (images, height, width), grey, or (images, height, width, 3), RGB.

        Raises:
            ValueError: they are neither.
        """
        if scenes.ndim != 3 and scenes.shape[3:] != (3,):
            raise ValueError(
                f"found images of shape {scenes.shape}, expected (images, height, width), grey, "
                "or (images, height, width, 3), RGB"
            )
        self.scenes = scenes
        self._processor = processor
        blank = np.zeros((1, *scenes.shape[1:]), np.uint8)
        self.shape: tuple[int, ...] = (len(scenes), *self._processed(blank).shape[1:])
        height, width = self._processed(blank, do_center_crop=False, do_pad=False).shape[2:]
        cropped = bool(getattr(processor, "do_center_crop", False))
        self.frame = Frame(
            left=(width - self.shape[3]) // 2 if cropped else 0,
            top=(height - self.shape[2]) // 2 if cropped else 0,
            width=width,
            height=height,
        )
        """Where the pictures lie in the images."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """(n, 3, H, W) the pictures of the images at `index`."""
        asked = self.scenes[index]
        if not len(asked):
            return np.zeros((0, *self.shape[1:]), np.float32)
        return self._processed(asked)

    def _processed(self, scenes: NDArray[np.uint8], **options: bool) -> NDArray[np.float32]:
        colours = np.repeat(scenes[..., None], 3, axis=3) if scenes.ndim == 3 else scenes
        made = self._processor(
            images=list(colours), return_tensors="np", input_data_format="channels_last", **options
        )
        return np.asarray(made["pixel_values"], np.float32)
