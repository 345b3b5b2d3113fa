"""Image encoders, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.encoders.image_encoder import ImageEncoder
from crosscut_trainables.encoders.linear import Linear
from crosscut_trainables.encoders.mlp import Mlp
from crosscut_trainables.encoders.positions import Positions

IMAGE_ENCODERS: dict[str, type[ImageEncoder]] = {"linear": Linear, "mlp": Mlp, "positions": Positions}

__all__ = ["IMAGE_ENCODERS", "ImageEncoder"]
