"""Images with Karpathy's splits: a JSON file of captions, and a folder of pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.split import Split, SplitName
from crosscut_trainables.data.whole_images import ImageWithTexts, split_of_images

NAMES: dict[str, SplitName] = {"train": "train", "restval": "train", "val": "dev", "test": "test"}
"""A split as the file calls it → ours."""


class Karpathy(FileData):
    """`dataset_flickr30k.json`, `dataset_flickr8k.json` or `dataset_coco.json` (Karpathy and Fei-Fei 2015).

    `images` lists each with `split`, `filename` (COCO: `filepath`, a folder, as well) and `sentences`, each with
    `raw` and `tokens`. COCO's `restval` joins train, as everywhere in the field. An image may have any number of
    captions.
    """

    name: Literal["karpathy"] = "karpathy"
    summary: ClassVar[str] = "Flickr30K, Flickr8K or COCO with Karpathy's splits: a JSON file and pictures"
    fetch: ClassVar[str] = (
        "Karpathy's caption_datasets.zip has dataset_flickr30k.json, dataset_flickr8k.json and dataset_coco.json; "
        "one of them goes into the folder, and pictures into the folder `images` there"
    )

    file: str = Field("dataset.json", description="The JSON file, in the folder.")
    images: str = Field("images", description="The folder of pictures, in the folder.")
    restval: bool = Field(True, description="Whether images of the split restval (COCO) join train.")
    words_of: Literal["tokens", "raw"] = Field(
        "tokens", description="What words are: tokens (those of the file), or raw (the text, by tokenizer)."
    )

    def files(self) -> Iterable[Path]:
        yield self.place / self.file

    def read(self, split: SplitName) -> Split:
        path = self.place / self.file
        found = [
            self._image(path, number, image)
            for number, image in enumerate(_images(path))
            if self._split(path, number, image) == split
        ]
        return split_of_images(f"{path} ({split})", found)

    def _split(self, path: Path, number: int, image: Mapping[str, Any]) -> SplitName | None:
        named = image.get("split")
        if named not in NAMES:
            raise ValueError(
                f"{path}, images[{number}].split: found {named!r}, expected one of {', '.join(NAMES)}"
            )
        return None if named == "restval" and not self.restval else NAMES[named]

    def _image(self, path: Path, number: int, image: Mapping[str, Any]) -> ImageWithTexts:
        try:
            place = self.place / self.images / image.get("filepath", "") / image["filename"]
            sentences = [(str(s["raw"]).strip(), s.get("tokens")) for s in image["sentences"]]
            ids = [s.get("sentid") for s in image["sentences"]]
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"{path}, images[{number}]: found no {error}, expected filename and sentences, each with raw"
            ) from error
        number_of_image = image.get("cocoid", image.get("imgid"))
        return ImageWithTexts(
            place,
            [(text, self._words(text, tokens)) for text, tokens in sentences],
            None if number_of_image is None else str(number_of_image),
            None if None in ids else [str(one) for one in ids],
        )

    def _words(self, text: str, tokens: Sequence[str] | None) -> tuple[str, ...]:
        if self.words_of == "tokens" and tokens is not None:
            return tuple(token.lower() for token in tokens)
        return self.words(text)


def _images(path: Path) -> list[Mapping[str, Any]]:
    try:
        images = json.loads(path.read_bytes())["images"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: found no JSON with a list `images` ({error})") from error
    if not isinstance(images, list):
        raise ValueError(f"{path}: found {type(images).__name__} under `images`, expected a list")
    return images
