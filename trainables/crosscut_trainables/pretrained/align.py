"""ALIGN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crosscut_trainables.pretrained.dual_encoder import SMALL_COLOURS, DualEncoder
from crosscut_trainables.pretrained.grid import Grid
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor

MARKS = SmallTokenizer(
    first=("[PAD]", "[UNK]", "[CLS]", "[SEP]"),
    last=(),
    before=("[CLS]",),
    after=("[SEP]",),
    pad="[PAD]",
    unknown="[UNK]",
)


class Align(DualEncoder):
    """An EfficientNet and a BERT.

    Jia et al., "Scaling Up Visual and Vision-Language Representation Learning With Noisy Text Supervision", ICML
    2021. Its places are those of the last feature map, whose mean is the whole image.
    """

    name: Literal["align"] = "align"
    model_type: ClassVar[str] = "align"
    summary: ClassVar[str] = "an EfficientNet and a BERT (Jia et al. 2021)"
    image_parts: ClassVar[tuple[str, ...]] = ("vision_model",)
    small_tokenizer: ClassVar[SmallTokenizer] = MARKS
    small: ClassVar[dict[str, Any]] = {
        "projection_dim": 32,
        "text_config": {
            "vocab_size": len(MARKS.ids),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 128,
            "initializer_range": 0.2,
            "pad_token_id": MARKS.ids["[PAD]"],
        },
        "vision_config": {
            "image_size": 64,
            "width_coefficient": 1.0,
            "depth_coefficient": 1.0,
            "in_channels": [32, 8, 16],
            "out_channels": [8, 16, 32],
            "kernel_sizes": [3, 3, 5],
            "strides": [1, 2, 2],
            "num_block_repeats": [1, 1, 2],
            "expand_ratios": [1, 4, 4],
            "hidden_dim": 32,
            "initializer_range": 0.2,
        },
    }

    @staticmethod
    def classes() -> tuple[Any, Any]:
        from transformers.models.align.configuration_align import AlignConfig
        from transformers.models.align.modeling_align import AlignModel

        return AlignConfig, AlignModel

    @staticmethod
    def small_processor() -> Any:
        from transformers.models.efficientnet.image_processing_pil_efficientnet import (
            EfficientNetImageProcessorPil,
        )

        return EfficientNetImageProcessorPil(
            size={"height": 64, "width": 64}, include_top=False, **SMALL_COLOURS
        )

    @staticmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.vision_model(pixel_values=pictures)
        return found.last_hidden_state.flatten(2).transpose(1, 2), found.pooler_output

    @staticmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.text_model(input_ids=ids, attention_mask=mask.long())
        pieces = tower.text_projection(found.last_hidden_state)
        return pieces, pieces[:, 0]

    @staticmethod
    def trim(model: Any) -> None:
        model.text_model.pooler = None

    @staticmethod
    def grid(tower: Any, height: int, width: int) -> Grid:
        import torch

        # What rounding makes of a side is known best by the network.
        with torch.no_grad():
            parameter = next(tower.parameters())
            blank = parameter.new_zeros(1, 3, height, width)
            down, across = tower.vision_model(pixel_values=blank).last_hidden_state.shape[2:]
        return Grid(down, across, height / down, width / across)

    @staticmethod
    def scale(model: Any) -> float:
        return 1 / float(model.temperature.detach())
