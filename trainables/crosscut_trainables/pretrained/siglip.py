"""SigLIP."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import model_validator

from crosscut_trainables.pretrained.dual_encoder import SMALL_COLOURS, DualEncoder
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor

MARKS = SmallTokenizer(
    first=("<unk>", "</s>"), last=(), before=(), after=("</s>",), pad="</s>", unknown="<unk>"
)


class Siglip(DualEncoder):
    """A transformer of patches and one of pieces, trained with a sigmoid of every pair; SigLIP 2 as well.

    Zhai et al., "Sigmoid Loss for Language Image Pre-Training", ICCV 2023. Its places are the patches, of which a
    learnt query makes the whole image. The whole text is what stands at its last position, so that a text is
    always filled up to the full length, and what fills it up is read too.
    """

    name: Literal["siglip"] = "siglip"
    model_type: ClassVar[str] = "siglip"
    summary: ClassVar[str] = "CLIP's kind of model, trained with a sigmoid of every pair (Zhai et al. 2023)"
    image_parts: ClassVar[tuple[str, ...]] = ("vision_model",)
    text_parts: ClassVar[tuple[str, ...]] = ("text_model",)
    small_tokenizer: ClassVar[SmallTokenizer] = MARKS
    small: ClassVar[dict[str, Any]] = {
        "text_config": {
            "vocab_size": len(MARKS.ids),
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": 128,
            "pad_token_id": MARKS.ids["</s>"],
            "bos_token_id": None,
            "eos_token_id": MARKS.ids["</s>"],
        },
        "vision_config": {
            "image_size": 30,
            "patch_size": 6,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
        },
    }

    @model_validator(mode="after")
    def _its_tokenizer_can_be_read(self) -> Self:
        options = Path(self.path or "") / "tokenizer_config.json"
        if self.path is not None and options.is_file():
            kind = json.loads(options.read_text(encoding="utf-8")).get("tokenizer_class")
            if str(kind).startswith("SiglipTokenizer") and find_spec("sentencepiece") is None:
                raise ValueError(
                    f"found {self.path!r}, whose tokenizer needs sentencepiece: pip install sentencepiece protobuf"
                )
        return self

    @staticmethod
    def classes() -> tuple[Any, Any]:
        from transformers.models.siglip.configuration_siglip import SiglipConfig
        from transformers.models.siglip.modeling_siglip import SiglipModel

        return SiglipConfig, SiglipModel

    @staticmethod
    def small_processor() -> Any:
        from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

        return SiglipImageProcessorPil(size={"height": 30, "width": 30}, **SMALL_COLOURS)

    @staticmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.vision_model(pixel_values=pictures)
        return found.last_hidden_state, found.pooler_output

    @staticmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        filled = ids.new_full((len(ids), tower.positions), tower.pad)
        filled[:, : ids.shape[1]] = ids
        found = tower.text_model(input_ids=filled)
        return tower.text_model.head(found.last_hidden_state[:, : ids.shape[1]]), found.pooler_output

    @staticmethod
    def width(config: Any) -> int:
        return int(config.text_config.projection_size)
