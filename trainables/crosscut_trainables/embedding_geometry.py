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


Values = NDArray[np.float64]
"""(queries,) a number for each query, NaN for one that has no such pair."""


@dataclass(frozen=True)
class PairGeometry:
    """How far each query lies from items, as means over its pairs.

    Where all queries have as many relevant items, as captions have one image, means over queries are over pairs.
    """

    alignment: Values
    """‖x − y‖² of relevant items, 0 to 4; lower is more aligned. With exponent 2, from Wang and Isola,
    "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere" (ICML
    2020, arXiv 2005.10242)."""
    positive: Values
    """‖x − y‖ of relevant items, 0 to 2; reported with AsCL (arXiv 2405.10029), as the next is."""
    negative: Values
    """‖x − y‖ of all other items."""


def pair_geometry(
    x: Vectors, y: Vectors, positives: tuple[NDArray[np.int64], NDArray[np.int32]]
) -> PairGeometry:
    """The distances of the queries `x` (queries, d) from the items `y` (items, d).

    `positives` as in `Positives`; a query may have none. Time grows with queries·items·d. Raises ValueError for
    positives that do not fit, and a vector that is not of length 1.
    """
    rows = _checked(x, y, positives)
    counts, others = rows.counts, len(y) - rows.counts
    squares = np.concatenate([np.empty(0), *_positive_squares(x, y, rows)])
    of = np.repeat(np.arange(len(x)), counts)
    wide, far = y.astype(np.float64), np.empty(len(x))
    for first in range(0, len(x), BLOCK):
        block = x[first : first + BLOCK].astype(np.float64)
        distances = np.sqrt(_squares(block, wide))
        start, stop = rows.starts[first], rows.starts[first + len(block)]
        distances[of[start:stop] - first, rows.indices[start:stop]] = 0.0
        far[first : first + BLOCK] = distances.sum(axis=1)
    aligned = np.bincount(of, weights=squares, minlength=len(x))
    near = np.bincount(of, weights=np.sqrt(squares), minlength=len(x))
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = ((aligned, counts), (near, counts), (far, others))
        return PairGeometry(*(np.where(pairs > 0, total / pairs, np.nan) for total, pairs in sums))


def uniformity(x: Vectors, t: float = 2.0) -> float:
    """log E exp(−t‖x − y‖²) over all pairs of distinct rows of `x` (n, d), −4t to 0; lower is more uniform.

    Wang and Isola 2020, as `PairGeometry.alignment`. Time grows with n²·d. Raises ValueError for fewer than two
    vectors and for one that is not of length 1.
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


def _checked(x: Vectors, y: Vectors, positives: tuple[NDArray[np.int64], NDArray[np.int32]]) -> Positives:
    rows = Positives(*positives)
    _check_unit("x", x)
    _check_unit("y", y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"x has {x.shape[1]} dimensions and y {y.shape[1]}, expected as many")
    rows.check(len(x), len(y), allow_empty=True)
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
