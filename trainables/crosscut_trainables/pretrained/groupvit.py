"""GroupViT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from crosscut_trainables.pretrained.clip import MARKS, TEXTS, Clip
from crosscut_trainables.pretrained.dual_encoder import DualEncoder
from crosscut_trainables.pretrained.grid import Grid
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor


class GroupVit(DualEncoder):
    """A transformer that gathers patches into groups, which need not be connected, and the text encoder of CLIP.

    Xu et al., "GroupViT: Semantic Segmentation Emerges from Text Supervision", CVPR 2022. Its groups stand where
    others have places, but are none; each patch joins the likeliest group, without the noise of pretraining.
    """

    name: Literal["groupvit"] = "groupvit"
    model_type: ClassVar[str] = "groupvit"
    summary: ClassVar[str] = "a transformer that gathers patches into groups (Xu et al. 2022)"
    has_places: ClassVar[bool] = False
    small_tokenizer: ClassVar[SmallTokenizer] = MARKS
    small: ClassVar[dict[str, Any]] = {
        "projection_dim": 24,
        "projection_intermediate_dim": 48,
        "text_config": TEXTS,
        "vision_config": {
            "image_size": 30,
            "patch_size": 6,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "depths": [1, 1, 1],
            "num_group_tokens": [8, 4, 0],
            "num_output_groups": [8, 4, 4],
            "num_attention_heads": 4,
        },
    }

    @staticmethod
    def classes() -> tuple[Any, Any]:
        from transformers.models.groupvit.configuration_groupvit import GroupViTConfig
        from transformers.models.groupvit.modeling_groupvit import GroupViTModel

        return GroupViTConfig, GroupViTModel

    @staticmethod
    def small_processor() -> Any:
        return Clip.small_processor()

    @staticmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.vision_model(pictures, return_dict=True)
        groups = _each(tower.visual_projection, found.last_hidden_state)
        return groups, tower.visual_projection(found.pooler_output)

    @staticmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        found = tower.text_model(input_ids=ids, attention_mask=mask.long())
        pieces = _each(tower.text_projection, found.last_hidden_state)
        return pieces, tower.text_projection(found.pooler_output)

    @staticmethod
    def grid(tower: Any, height: int, width: int) -> Grid:
        DualEncoder.grid(tower, height, width)  # refuses pictures of another size
        groups = tower.vision_model.config.num_output_groups[-1]
        return Grid(1, groups, height, width / groups)


def _each(projection: Any, places: Tensor) -> Tensor:
    """The projection (B, n, width) of each place: its batch normalisation takes them one after the other."""
    projected: Tensor = projection(places.flatten(0, 1)).unflatten(0, places.shape[:2])
    return projected
