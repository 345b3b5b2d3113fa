"""Cross attention of all images with all texts: the relevance of every query fragment to every item of keys.

Forward and backward pass go from rectangle to rectangle of images and texts, through the same few tensors. Nothing
but the cosines is ever there for all pairs, and these only where a gradient is wanted and they fit. On a CPU that
is what makes it take hardly longer than the products that the cosines and their gradients are, on a GPU it bounds
the memory of a batch. The backward pass is written out: what autograd would keep is six times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from crosscut_trainables.backbones.attention_rule import AttentionRule
from crosscut_trainables.backbones.by_length import groups_of
from crosscut_trainables.backbones.rectangle import Attending, Room, of_device, turned
from crosscut_trainables.fragments import Fragments

if TYPE_CHECKING:
    from crosscut_trainables.backbones.stacked_attention import Direction

VALUES = {"cpu": 2**20, "cuda": 2**26}
"""Cosines of a rectangle, by device: a handful of tensors of 4 MB stay in the cache that cores share."""
KEPT = {"cpu": 2**28, "cuda": 2**30}
"""Cosines that are kept for the backward pass, by device; of more than that, it computes them again."""

_COSINES, _TURNED, _TO_COSINES, _TO_TURNED = range(3, 7)
"""Places in the room, behind those in which a rectangle works."""


def relevance(
    images: Fragments, texts: Fragments, rules: Mapping[Direction, AttentionRule]
) -> dict[Direction, Tensor]:
    """The cosine of every query with what it attends to in every item of keys, 0 at padding; differentiable once.

    For `t2i` (images, words, texts), for `i2t` (texts, regions, images). Where both are asked for, they share the
    cosines and the products of the backward pass. Fragments are of unit norm; in bfloat16, cosines are computed
    in that, and all else in single precision, without a gradient.
    """
    first: Direction = "t2i" if "t2i" in rules else "i2t"
    asked = _Asked(rules[first], rules["i2t"] if len(rules) == 2 else None, first)
    rows, columns = (images, texts) if first == "t2i" else (texts, images)
    inputs = (rows.fragments, rows.mask, columns.fragments, columns.mask)
    if torch.is_grad_enabled() and (rows.fragments.requires_grad or columns.fragments.requires_grad):
        found: list[Tensor] = _Relevance.apply(*inputs, asked)  # type: ignore[no-untyped-call]
    else:
        found = _Pairs(*inputs, asked).forward()
    return dict(zip((first, "i2t"), found, strict=False))


@dataclass(frozen=True)
class _Asked:
    """What is wanted of all pairs."""

    rule: AttentionRule
    """By which columns attend to rows."""
    back: AttentionRule | None
    """By which rows attend to columns, None where they need not."""
    direction: Direction
    """That of `rule`: rows are images for `t2i`, texts for `i2t`."""


class _Relevance(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, row_mask: Tensor, columns: Tensor, column_mask: Tensor, asked: _Asked
    ) -> tuple[Tensor, ...]:
        pairs = _Pairs(rows, row_mask, columns, column_mask, asked)
        kept: list[Tensor] | None = [] if pairs.values <= of_device(KEPT, rows) else None
        found = pairs.forward(kept)
        ctx.save_for_backward(rows, row_mask, columns, column_mask, *(kept or ()))
        ctx.asked = asked
        return tuple(found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, Tensor, None, None]:
        rows, row_mask, columns, column_mask, *kept = ctx.saved_tensors
        pairs = _Pairs(rows, row_mask, columns, column_mask, ctx.asked)
        of_rows, of_columns = pairs.backward(grads, kept)
        return of_rows, None, of_columns, None, None


@dataclass
class _Side:
    """Some rows, or some columns."""

    items: Tensor | slice
    """Which ones."""
    fragments: Tensor
    """(b, k, D), without what pads all of them"""
    mask: Tensor
    """(b, k)"""
    flat: Tensor
    """(b·k, D): rows item by item, columns place by place"""
    gram: Tensor | None
    """(b, k, k), None for those that nothing attends to"""
    to_flat: Tensor | None = None
    """The gradient to `flat`."""
    to_gram: Tensor | float = 0.0
    """Half of that to `gram`."""


class _Pairs:
    """Rows (B, k, D), to which columns (N, q, D) attend, in rectangles of some of both."""

    def __init__(
        self, rows: Tensor, row_mask: Tensor, columns: Tensor, column_mask: Tensor, asked: _Asked
    ) -> None:
        self._inputs, self._asked = (rows, columns), asked
        self._single = torch.float32 if rows.dtype == torch.bfloat16 else rows.dtype
        image_mask, text_mask = (
            (row_mask, column_mask) if asked.direction == "t2i" else (column_mask, row_mask)
        )
        of_texts = groups_of(text_mask)
        places = [text_mask[items].shape[0] * width for items, width in of_texts]
        regions = image_mask.shape[1]
        self.values = len(image_mask) * regions * sum(places)
        """How many cosines there are."""
        step = max(1, of_device(VALUES, rows) // max(1, regions * max(places)))
        of_images = [(slice(first, first + step), regions) for first in range(0, len(image_mask), step)]
        row_groups, column_groups = (
            (of_images, of_texts) if asked.direction == "t2i" else (of_texts, of_images)
        )
        self._rows = [self._side(rows, row_mask, group, rows=True) for group in row_groups]
        self._columns = [self._side(columns, column_mask, group, rows=False) for group in column_groups]

    def _side(self, x: Tensor, mask: Tensor, group: tuple[Tensor | slice, int], rows: bool) -> _Side:
        items, width = group
        fragments = x[items, :width]
        gram = None
        if rows or self._asked.back is not None:
            exact = fragments.to(self._single)
            gram = exact @ exact.transpose(1, 2)
        flat = (fragments if rows else fragments.transpose(0, 1)).flatten(0, 1)
        return _Side(items, fragments, mask[items, :width], flat, gram)

    def forward(self, kept: list[Tensor] | None = None) -> list[Tensor]:
        """(B, q, N) relevance of the columns, and (N, k, B) of the rows where it is asked for.

        The cosines of every rectangle are added to `kept`.
        """
        (rows, columns), room = self._inputs, self._room()
        found = [rows.new_zeros((len(rows), columns.shape[1], len(columns)), dtype=self._single)]
        if self._asked.back is not None:
            found.append(rows.new_zeros((len(columns), rows.shape[1], len(rows)), dtype=self._single))
        for row, column in self._rectangles():
            there, back = self._attending(row, column)
            cosines = room.of(there.shape, _COSINES) if kept is None else found[0].new_empty(there.shape)
            self._compare(row, column, cosines)
            if kept is not None:
                kept.append(cosines)
            found[0][row.items, : len(there.query_mask), column.items] = there.relevance(cosines, room)
            if back is not None:
                turning = turned(cosines, room, _TURNED)
                found[1][column.items, : len(back.query_mask), row.items] = back.relevance(turning, room)
        return found

    def backward(self, grads: Sequence[Tensor], kept: Sequence[Tensor]) -> list[Tensor]:
        """The gradients to rows and columns from those to what `forward` gives."""
        room = self._room()
        for number, (row, column) in enumerate(self._rectangles()):
            there, back = self._attending(row, column)
            if kept:
                cosines = kept[number]
            else:
                cosines = room.of(there.shape, _COSINES)
                self._compare(row, column, cosines)
            grad = grads[0][row.items, : len(there.query_mask), column.items]
            to_cosines, to_gram = there.backward(grad, cosines, room, _TO_COSINES)
            row.to_gram = to_gram + row.to_gram
            if back is not None:
                grad = grads[1][column.items, : len(back.query_mask), row.items]
                to_turned, to_gram = back.backward(grad, turned(cosines, room, _TURNED), room, _TO_TURNED)
                column.to_gram = to_gram + column.to_gram
                to_cosines.add_(to_turned.permute(3, 2, 1, 0))
            flat = to_cosines.view(len(row.flat), len(column.flat))
            row.to_flat = _added(row.to_flat, flat, column.flat)
            column.to_flat = _added(column.to_flat, flat.T, row.flat)
        return [self._gradient(0, self._rows), self._gradient(1, self._columns)]

    def _gradient(self, which: int, sides: Sequence[_Side]) -> Tensor:
        """What the sides found, as one tensor."""
        found = torch.zeros_like(self._inputs[which])
        for side in sides:
            (b, k, d), to_flat = side.fragments.shape, side.to_flat
            assert to_flat is not None, "every side is in a rectangle"
            grad = to_flat.view(b, k, d) if which == 0 else to_flat.view(k, b, d).transpose(0, 1)
            if isinstance(side.to_gram, Tensor):
                grad = torch.baddbmm(grad, side.to_gram, side.fragments)
            found[side.items, :k] = grad
        return found

    def _rectangles(self) -> Iterator[tuple[_Side, _Side]]:
        return product(self._rows, self._columns)

    def _attending(self, row: _Side, column: _Side) -> tuple[Attending, Attending | None]:
        """Columns to rows, and rows to columns where that is asked for."""
        assert row.gram is not None, "columns attend to rows"
        there = Attending(self._asked.rule, row.gram, row.mask, column.mask.T)
        if self._asked.back is None or column.gram is None:
            return there, None
        return there, Attending(self._asked.back, column.gram, column.mask, row.mask.T)

    def _compare(self, row: _Side, column: _Side, cosines: Tensor) -> None:
        flat = cosines.view(len(row.flat), len(column.flat))
        if row.flat.dtype == flat.dtype:
            torch.mm(row.flat, column.flat.T, out=flat)
        else:
            flat.copy_(row.flat @ column.flat.T)

    def _room(self) -> Room:
        return Room(self._inputs[0].new_empty(0, dtype=self._single))


def _added(to: Tensor | None, left: Tensor, right: Tensor) -> Tensor:
    """`to`, which is overwritten, and the product of the others."""
    return left @ right if to is None else to.addmm_(left, right)
