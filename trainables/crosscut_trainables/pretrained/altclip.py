"""AltCLIP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crosscut_trainables.pretrained.clip import Clip
from crosscut_trainables.pretrained.dual_encoder import DualEncoder
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor

MARKS = SmallTokenizer(
    first=("<s>", "<pad>", "</s>", "<unk>"),
    last=(),
    before=("<s>",),
    after=("</s>",),
    pad="<pad>",
    unknown="<unk>",
)


class AltClip(DualEncoder):
    """The image encoder of CLIP, and a text encoder of many languages, XLM-R, that was taught to agree with it.

    Chen et al., "AltCLIP: Altering the Language Encoder in CLIP for Extended Language Capabilities", Findings of
    ACL 2023. Places are as in CLIP.
    """

    name: Literal["altclip"] = "altclip"
    model_type: ClassVar[str] = "altclip"
    summary: ClassVar[str] = "CLIP with a text encoder of many languages (Chen et al. 2023)"
    small_tokenizer: ClassVar[SmallTokenizer] = MARKS
    small: ClassVar[dict[str, Any]] = {
        "projection_dim": 24,
        "text_config": {
            "vocab_size": len(MARKS.ids),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            # The first two positions are those of padding.
            "max_position_embeddings": 130,
            "project_dim": 28,
            "initializer_range": 0.2,
            "pad_token_id": MARKS.ids["<pad>"],
            "bos_token_id": MARKS.ids["<s>"],
            "eos_token_id": MARKS.ids["</s>"],
        },
        "vision_config": Clip.small["vision_config"],
    }

    @staticmethod
    def classes() -> tuple[Any, Any]:
        from transformers.models.altclip.configuration_altclip import AltCLIPConfig
        from transformers.models.altclip.modeling_altclip import AltCLIPModel

        return AltCLIPConfig, AltCLIPModel

    @staticmethod
    def small_processor() -> Any:
        return Clip.small_processor()

    @staticmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return Clip.read_images(tower, pictures)

    @staticmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.text_model(input_ids=ids, attention_mask=mask.long())
        pieces = tower.text_projection(found.last_hidden_state)
        return pieces, pieces[:, 0]

    @staticmethod
    def positions(config: Any) -> int:
        # As in RoBERTa: positions are counted from that of padding on.
        return int(config.text_config.max_position_embeddings - config.text_config.pad_token_id - 1)
