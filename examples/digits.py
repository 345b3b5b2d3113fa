"""A classifier of handwritten digits with few images to learn from, as a trainable of ten lines."""

from typing import Literal

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import crosscut

Kernel = Literal["linear", "rbf"]
WAYS = ((0, 1), (1, 1), (-1, 1), (1, 2), (-1, 2))  # by how many pixels, along which axis


@crosscut.trainable(metrics=["dev/accuracy", "test/accuracy"], seconds=0.1)
def train(seed: int, images: int = 100, shifted: bool = False, kernel: Kernel = "linear", penalty: float = 1):
    pictures, digits = load_digits(return_X_y=True)
    learnt = np.random.default_rng(seed).permutation(900)[:images]
    x, y = pictures[learnt].reshape(-1, 8, 8), digits[learnt]
    if shifted:
        x, y = np.concatenate([np.roll(x, way, axis) for way, axis in WAYS]), np.tile(y, len(WAYS))
    model = SVC(kernel=kernel, C=penalty).fit(x.reshape(-1, 64), y)
    right = 100.0 * (model.predict(pictures[900:]) == digits[900:])
    return {"dev/accuracy": right[:300], "test/accuracy": right[300:]}
