"""Image and text encoders, by name. A new one is one more line here."""

from __future__ import annotations

from crosscut_trainables.encoders.gru import Gru
from crosscut_trainables.encoders.image_encoder import ImageEncoder
from crosscut_trainables.encoders.linear import Linear
from crosscut_trainables.encoders.mlp import Mlp
from crosscut_trainables.encoders.patches import Patches
from crosscut_trainables.encoders.positions import Positions
from crosscut_trainables.encoders.text_encoder import TextEncoder
from crosscut_trainables.encoders.text_transformer import TextTransformer

IMAGE_ENCODERS: dict[str, type[ImageEncoder]] = {
    "linear": Linear,
    "mlp": Mlp,
    "positions": Positions,
    "patches": Patches,
}
TEXT_ENCODERS: dict[str, type[TextEncoder]] = {"gru": Gru, "transformer": TextTransformer}

__all__ = ["IMAGE_ENCODERS", "TEXT_ENCODERS", "Gru", "ImageEncoder", "TextEncoder"]
