"""Noise that is close to Gaussian, from a stream that stays the same for good."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.data.draws import Draws

TERMS, BITS = 5, 12
"""Uniform whole numbers that are added up to one number of noise, and the bits of each."""


def gaussian(draws: Draws, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Independent numbers with mean 0 and standard deviation 1, at most 3.88 from 0.

    The sum of five uniform numbers (Irwin-Hall; excess kurtosis -0.24), in whole numbers up to the last step, so
    that it is the same on every machine: logarithms and cosines, of which exact Gaussian noise is made, are not.
    """
    half = 2 ** (TERMS * BITS - 1) - 1
    drawn = draws.noise(shape, half) + half
    total = np.zeros(shape, np.int64)
    for term in range(TERMS):
        total += (drawn >> (term * BITS)) & (2**BITS - 1)
    mean = TERMS * (2**BITS - 1) / 2
    deviation = math.sqrt(TERMS * (4**BITS - 1) / 12)
    noise: NDArray[np.float32] = ((total - mean) / deviation).astype(np.float32)
    return noise
