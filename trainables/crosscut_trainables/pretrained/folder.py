"""The folder of a pretrained model, as transformers writes it: what must be in it, and the hash of what is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from crosscut_trainables.word_vectors import file_hash

TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
)
"""Files of which a folder with a tokenizer has one."""
_WANTED = {
    "weights": ("*.safetensors", "*.bin"),
    "a tokenizer": TOKENIZER,
    "an image processor": ("preprocessor_config.json", "processor_config.json"),
}
"""What a folder must have beside config.json, and the files of which one is that."""


def checked(path: str, model_type: str) -> str:
    """The absolute path of a folder that has a whole model of `model_type`; `~` is the home folder.

    Raises:
        ValueError: there is no such folder, or it lacks something, or its model is of another type.
    """
    folder = Path(path).expanduser().absolute()
    expected = f"found {path!r}, expected a folder with a {model_type} model"
    if not folder.is_dir():
        raise ValueError(f"{expected}: there is no such folder")
    config = folder / "config.json"
    if not config.is_file():
        raise ValueError(f"{expected}: it has no config.json")
    try:
        options = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{expected}: its config.json is no JSON ({error})") from None
    found = options.get("model_type") if isinstance(options, dict) else None
    if found != model_type:
        raise ValueError(f"{expected}: its config.json says model_type {found!r}")
    for what, patterns in _WANTED.items():
        if not any(file.is_file() for pattern in patterns for file in folder.glob(pattern)):
            raise ValueError(f"{expected}: it has no file of {what} ({', '.join(patterns)})")
    return str(folder)


def folder_hash(folder: Path) -> str:
    """Hexadecimal SHA-256 of the names and contents of the files in `folder`, not of folders in it."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        digest.update(f"{file.name}\n{file_hash(file)}\n".encode())
    return digest.hexdigest()
