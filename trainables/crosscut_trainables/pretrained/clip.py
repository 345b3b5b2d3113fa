"""CLIP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crosscut_trainables.pretrained.dual_encoder import SMALL_COLOURS, DualEncoder
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor

# The end has the highest id, as in the family: some of its configurations look for that.
MARKS = SmallTokenizer(
    first=("<unk>",),
    last=("<|startoftext|>", "<|endoftext|>"),
    before=("<|startoftext|>",),
    after=("<|endoftext|>",),
    pad="<|endoftext|>",
    unknown="<unk>",
)
TEXTS: dict[str, Any] = {
    "vocab_size": len(MARKS.ids),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": MARKS.ids["<|endoftext|>"],
    "bos_token_id": MARKS.ids["<|startoftext|>"],
    "eos_token_id": MARKS.ids["<|endoftext|>"],
}
"""Options of a small text encoder like that of CLIP."""


class Clip(DualEncoder):
    """A transformer of patches and a causal one of pieces.

    Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021. Its places
    are the patches, brought to the joint space the way that the class token is.
    """

    name: Literal["clip"] = "clip"
    model_type: ClassVar[str] = "clip"
    summary: ClassVar[str] = "a transformer of patches and one of pieces (Radford et al. 2021)"
    small_tokenizer: ClassVar[SmallTokenizer] = MARKS
    small: ClassVar[dict[str, Any]] = {
        "projection_dim": 24,
        "text_config": {**TEXTS, "projection_dim": 24},
        "vision_config": {
            "image_size": 30,
            "patch_size": 6,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "projection_dim": 24,
            "initializer_range": 0.2,
            "initializer_factor": 2.0,
        },
    }

    @staticmethod
    def classes() -> tuple[Any, Any]:
        from transformers.models.clip.configuration_clip import CLIPConfig
        from transformers.models.clip.modeling_clip import CLIPModel

        return CLIPConfig, CLIPModel

    @staticmethod
    def small_processor() -> Any:
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        return CLIPImageProcessorPil(
            size={"shortest_edge": 30}, crop_size={"height": 30, "width": 30}, **SMALL_COLOURS
        )

    @staticmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.vision_model(pixel_values=pictures)
        patches = tower.vision_model.post_layernorm(found.last_hidden_state[:, 1:])
        return tower.visual_projection(patches), tower.visual_projection(found.pooler_output)

    @staticmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.text_model(input_ids=ids, attention_mask=mask.long())
        return tower.text_projection(found.last_hidden_state), tower.text_projection(found.pooler_output)
