"""The two halves of a pretrained dual encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from torch import Tensor, nn

from crosscut_trainables.fragments import Fragments, l2norm
from crosscut_trainables.rows import Rows

if TYPE_CHECKING:
    from crosscut_trainables.pretrained.dual_encoder import DualEncoder


class Tower(nn.Module):
    """Some parts of a model, under the names that they have in it.

    It stays as it is while evaluating: dropout, noise and the statistics of a batch are off while it is fine-tuned
    as well, so that a run can be repeated and any number of workers train alike.
    """

    def __init__(self, family: type[DualEncoder], model: Any, parts: tuple[str, ...]) -> None:
        super().__init__()
        for part in parts:
            self.add_module(part, getattr(model, part))
        self.family = family
        self.requires_grad_(True)
        self.train(False)

    def train(self, mode: bool = True) -> Self:
        """Leaves everything as it is while evaluating."""
        return super().train(False)


class ImageTower(Tower):
    """Pictures to fragments: the places of the model, in the joint space, and the whole as the model has it."""

    def __init__(self, family: type[DualEncoder], model: Any) -> None:
        super().__init__(family, model, family.image_parts)

    def forward(self, regions: Tensor, present: Tensor, boxes: Tensor, rows: Rows | None = None) -> Fragments:
        """Fragments of `regions` (B, 3, H, W), pictures as `Pixels` gives them; `present` is (B, n) bool.

        `boxes` (B, n, 4) are not looked at: a model knows where its places are.
        """
        places, whole = self.family.read_images(self, regions)
        return _fragments(places, present, whole, rows)


class TextTower(Tower):
    """Ids to fragments: the pieces of the model, marks included, in the joint space, and the whole."""

    def __init__(self, family: type[DualEncoder], model: Any, positions: int, pad: int) -> None:
        """Texts have `positions` places at most, and `pad` fills them up."""
        super().__init__(family, model, family.text_parts)
        self.positions = positions
        self.pad = pad

    def forward(self, ids: Tensor, lengths: Tensor, mask: Tensor, rows: Rows | None = None) -> Fragments:
        """Fragments of `ids` (B, L), as `Pieces` gives them; `mask` is (B, L) bool.

        Raises:
            ValueError: the texts are longer than the model has places for.
        """
        if ids.shape[1] > self.positions:
            raise ValueError(f"found texts of {ids.shape[1]} pieces, expected {self.positions} at most")
        places, whole = self.family.read_texts(self, ids.masked_fill(~mask, self.pad), mask)
        return _fragments(places, mask, whole, rows)


def _fragments(places: Tensor, mask: Tensor, whole: Tensor, rows: Rows | None) -> Fragments:
    fragments = l2norm(places.float()).masked_fill(~mask[..., None], 0)
    return Fragments(fragments, mask, l2norm(whole.float()), rows)
