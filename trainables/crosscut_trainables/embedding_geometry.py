"""How unit vectors of queries and items lie to each other: alignment, uniformity, mean distances; no torch.

All vectors have length 1, so distances run from 0 to 2. Products and sums are of float64: a float32 product
of two near vectors loses the digits that their distance consists of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.positive_ranks import Positives

Vectors = NDArray[np.float32] | NDArray[np.float64]
"""(n, dimensions) vectors of length 1."""

BLOCK = 128
"""Vectors whose distances to all others are held at once."""

TOLERANCE = 1e-3
"""How far from 1 a length may be: that of half precision."""


@dataclass(frozen=True)
class PairDistances:
    """Mean Euclidean distances ‖x − y‖ of a query from items, 0 to 2."""

    positive: float
    """Over pairs of a query and a relevant item."""
    negative: float
    """Over all other pairs; NaN where every item is relevant to every query."""


def alignment(x: Vectors, y: Vectors, positives: tuple[NDArray[np.int64], NDArray[np.int32]]) -> float:
    """E‖x − y‖² over the positive pairs of `x` (queries, d) and `y` (items, d), 0 to 4; lower is more
    aligned.

    With exponent 2, from Wang and Isola, "Understanding Contrastive Representation Learning through Alignment
    and Uniformity on the Hypersphere" (ICML 2020, arXiv 2005.10242). `positives` as in `Positives`; a query
    may have none, and each pair weighs alike. Raises ValueError for positives that do not fit, no pair at
    all, and a vector that is not of length 1.
    """
    rows = _checked(x, y, positives)
    total = sum(float(squares.sum()) for squares in _positive_squares(x, y, rows))
    return total / len(rows.indices)


def uniformity(x: Vectors, t: float = 2.0) -> float:
    """log E exp(−t‖x − y‖²) over all pairs of distinct rows of `x` (n, d), −4t to 0; lower is more uniform.

    Wang and Isola 2020, as `alignment`. Time grows with n²·d. Raises ValueError for fewer than two vectors
    and for one that is not of length 1.
    """
    count = len(x)
    if count < 2:
        raise ValueError(f"uniformity of {count} vectors: it takes pairs, so two at least")
    _check_unit("x", x)
    wide = x.astype(np.float64)
    total = 0.0
    for first in range(0, count, BLOCK):
        squares = _squares(wide[first : first + BLOCK], wide[first:])
        # Each pair once: row i of the block against what comes after it.
        potentials = np.triu(np.exp(-t * squares), k=1)
        total += float(potentials.sum())
    return float(np.log(total / (count * (count - 1) / 2)))


def pair_distances(
    x: Vectors, y: Vectors, positives: tuple[NDArray[np.int64], NDArray[np.int32]]
) -> PairDistances:
    """The mean distances of positive and of negative pairs of `x` (queries, d) and `y` (items, d).

    Reported with AsCL (arXiv 2405.10029). Raises ValueError as `alignment` does.
    """
    rows = _checked(x, y, positives)
    near = sum(float(np.sqrt(squares).sum()) for squares in _positive_squares(x, y, rows))
    wide, far = y.astype(np.float64), 0.0
    for first in range(0, len(x), BLOCK):
        block = x[first : first + BLOCK].astype(np.float64)
        distances = np.sqrt(_squares(block, wide))
        start, stop = rows.starts[first], rows.starts[first + len(block)]
        of = np.repeat(np.arange(len(block)), rows.counts[first : first + len(block)])
        distances[of, rows.indices[start:stop]] = 0.0
        far += float(distances.sum())
    negatives = len(x) * len(y) - len(rows.indices)
    return PairDistances(near / len(rows.indices), far / negatives if negatives else float("nan"))


def _checked(x: Vectors, y: Vectors, positives: tuple[NDArray[np.int64], NDArray[np.int32]]) -> Positives:
    rows = Positives(*positives)
    _check_unit("x", x)
    _check_unit("y", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} dimensions and y {y.shape[1]}, expected as many")
    rows.check(len(x), len(y), allow_empty=True)
    if not len(rows.indices):
        raise ValueError("there is no positive pair")
    return rows


def _check_unit(name: str, vectors: Vectors) -> None:
    if vectors.ndim != 2:
        raise ValueError(f"{name} has the shape {vectors.shape}, expected (n, dimensions)")
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    fault = ~(np.abs(lengths - 1) <= TOLERANCE)  # NaN is no length either
    if fault.any():
        row = int(np.argmax(fault))
        raise ValueError(f"row {row} of {name} has the length {lengths[row]:g}, expected 1")


def _positive_squares(x: Vectors, y: Vectors, rows: Positives) -> Iterator[NDArray[np.float64]]:
    """‖x − y‖² of the positive pairs, by blocks of queries, from their differences."""
    for first in range(0, len(x), BLOCK):
        last = min(first + BLOCK, len(x))
        of = np.repeat(np.arange(first, last), rows.counts[first:last])
        items = rows.indices[rows.starts[first] : rows.starts[last]]
        # Rows have any number of positives, so that the pairs of a block come in blocks of their own.
        for pair in range(0, len(of), 32 * BLOCK):
            one = x[of[pair : pair + 32 * BLOCK]].astype(np.float64)
            differences = one - y[items[pair : pair + 32 * BLOCK]].astype(np.float64)
            yield np.einsum("nd,nd->n", differences, differences)


def _squares(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, k) squared distances of `a` (n, d) from `b` (k, d), without what rounding takes below 0."""
    lengths = [np.einsum("nd,nd->n", v, v) for v in (a, b)]
    squares: NDArray[np.float64] = lengths[0][:, None] + lengths[1][None, :] - 2.0 * (a @ b.T)
    return np.maximum(squares, 0.0, out=squares)
