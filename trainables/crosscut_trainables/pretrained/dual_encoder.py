"""The base of every pretrained dual encoder: an image and a text encoder that were trained together."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from crosscut_trainables.component import Component
from crosscut_trainables.pretrained.folder import checked, folder_hash
from crosscut_trainables.pretrained.grid import Grid
from crosscut_trainables.pretrained.small_tokenizer import SmallTokenizer

if TYPE_CHECKING:
    from torch import Tensor

    from crosscut_trainables.pretrained.loaded import Loaded

VERSION = 1
"""Raised whenever a small random model is another than before."""

SEED = 20210226
"""Of the weights of the small random models, which are the same for everyone."""

SMALL_COLOURS: dict[str, Any] = {"image_mean": [0.0, 0.0, 0.0], "image_std": [0.25, 0.25, 0.25]}
"""Options of the image processors of small random models. Black is 0: random weights tell images apart by what is
not the same in all of them."""


class DualEncoder(Component):
    """A model of transformers that gives images and texts a joint space.

    Read from a folder of its own, never from elsewhere; without one it is a small model with random weights.
    """

    model_type: ClassVar[str]
    """What transformers calls the family."""
    has_places: ClassVar[bool] = True
    """Whether the parts of an image that it gives are places of the image."""
    image_parts: ClassVar[tuple[str, ...]] = ("vision_model", "visual_projection")
    """Names of the model's parts that read images."""
    text_parts: ClassVar[tuple[str, ...]] = ("text_model", "text_projection")
    small: ClassVar[dict[str, Any]]
    """Options of the small random model, as its config.json would have them."""
    small_tokenizer: ClassVar[SmallTokenizer]

    name: str
    path: str | None = Field(
        None,
        description="Folder of the model as transformers writes it (save_pretrained: config.json, weights, "
        "tokenizer and image processor); null: a small random one, for trying out.",
    )
    tuning: Literal["zero-shot", "linear", "text", "image", "full"] = Field(
        "linear",
        description="What is trained: zero-shot (nothing), linear (a linear map behind each frozen encoder), "
        "text, image (that encoder; the other is frozen), full (both).",
    )
    encoder_rate: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Learning rate of the pretrained weights as a share of training.learning_rate, (0, 1].",
    )
    own_temperature: bool = Field(
        False,
        description="Whether InfoNCE starts from the temperature that the model learnt, instead of "
        "loss.temperature.",
    )

    @field_validator("path")
    @classmethod
    def _a_model(cls, path: str | None) -> str | None:
        return None if path is None else checked(path, cls.model_type)

    @model_validator(mode="after")
    def _transformers_is_there(self) -> Self:
        if find_spec("transformers") is None:
            raise ValueError(f"{self.name} needs transformers: pip install 'crosscut[hf]'")
        return self

    @property
    def freezes_images(self) -> bool:
        """Whether the image encoder stays as it was pretrained."""
        return self.tuning not in ("image", "full")

    @property
    def freezes_texts(self) -> bool:
        """Whether the text encoder stays as it was pretrained."""
        return self.tuning not in ("text", "full")

    @property
    def maps(self) -> bool:
        """Whether a linear map stands behind each encoder."""
        return self.tuning == "linear"

    def fingerprint(self) -> str:
        """Hash of what the model is: of the files of its folder, or of what the small random one is made of."""
        if self.path is not None:
            return folder_hash(Path(self.path))
        made_of = [self.model_type, VERSION, SEED, self.small, list(self.small_tokenizer.ids)]
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()

    def load(self) -> Loaded:
        """The model in memory, in 32 bits. Global random states are left as they are.

        Raises:
            ValueError: the folder lacks weights that the model uses.
        """
        import torch

        from crosscut_trainables.pieces import Pieces
        from crosscut_trainables.pretrained.loaded import Loaded
        from crosscut_trainables.pretrained.quiet import quiet
        from crosscut_trainables.pretrained.towers import ImageTower, TextTower

        with quiet(), torch.random.fork_rng(devices=[]):
            # Of the CPU alone: torch.manual_seed would change the states of GPUs as well, and leave them so.
            torch.default_generator.manual_seed(SEED)
            if self.path is None:
                config_class, model_class = self.classes()
                model, missing = model_class(config_class(**self.small)), set[str]()
                tokenizer = self.small_tokenizer.build(self.positions(model.config))
                processor = self.small_processor()
            else:
                model, missing, tokenizer, processor = self._read(self.path)
        self.trim(model)
        positions = self.positions(model.config)
        vocabulary = Pieces(tokenizer, positions)
        pad = vocabulary.pad
        images, texts = ImageTower(type(self), model), TextTower(type(self), model, positions, pad)
        unread = sorted(missing & {*images.state_dict(), *texts.state_dict()})
        if unread:
            raise ValueError(
                f"found {self.path!r}, expected weights of the whole model: {unread[0]} has none"
            )
        return Loaded(
            family=type(self),
            width=self.width(model.config),
            scale=self.scale(model),
            images=images,
            texts=texts,
            vocabulary=vocabulary,
            processor=processor,
        )

    def _read(self, path: str) -> tuple[Any, set[str], Any, Any]:
        """The model in a folder, the names of its weights that are not there, its tokenizer and processor."""
        import torch
        from transformers.models.auto.image_processing_auto import AutoImageProcessor
        from transformers.models.auto.tokenization_auto import AutoTokenizer

        _, model_class = self.classes()
        model, told = model_class.from_pretrained(
            path, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        # With Pillow, so that pictures are the same where torchvision is installed.
        processor = AutoImageProcessor.from_pretrained(path, local_files_only=True, backend="pil")
        return model, set(told["missing_keys"]), tokenizer, processor

    @staticmethod
    @abstractmethod
    def classes() -> tuple[Any, Any]:
        """transformers' classes of the configuration and of the model."""

    @staticmethod
    @abstractmethod
    def small_processor() -> Any:
        """The image processor of the small random model."""

    @staticmethod
    @abstractmethod
    def read_images(tower: Any, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The places (B, n, width) of `pictures` (B, 3, H, W), and the wholes (B, width), neither normalised.

        `tower` has `image_parts` as its attributes.
        """

    @staticmethod
    @abstractmethod
    def read_texts(tower: Any, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The pieces (B, L, width) of `ids` (B, L), and the wholes (B, width), neither normalised.

        `tower` has `text_parts` as its attributes, and `positions` and `pad`; `ids` are `pad` where `mask` is not.
        """

    @staticmethod
    def trim(model: Any) -> None:
        """Takes out what neither places nor wholes are made of, which training would never reach."""

    @staticmethod
    def grid(tower: Any, height: int, width: int) -> Grid:
        """Where the places of pictures of `height` by `width` pixels are.

        Raises:
            ValueError: the model is of pictures of another size.
        """
        config = tower.vision_model.config
        side, patch = config.image_size, config.patch_size
        if (height, width) != (side, side):
            raise ValueError(
                f"the image processor makes pictures of {height} by {width} pixels, expected {side} by {side}"
            )
        return Grid(height // patch, width // patch, patch, patch)

    @staticmethod
    def positions(config: Any) -> int:
        """Pieces that a text may have, marks included."""
        return int(config.text_config.max_position_embeddings)

    @staticmethod
    def width(config: Any) -> int:
        """Dimensions of the joint space."""
        return int(config.projection_dim)

    @staticmethod
    def scale(model: Any) -> float:
        """What the model multiplies cosines with."""
        return float(model.logit_scale.detach().exp())
