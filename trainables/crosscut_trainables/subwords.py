"""Subwords: a tokenizer at a path of its own, in place of the words of encoders that are trained from scratch."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crosscut_trainables.pieces import Pieces
from crosscut_trainables.pretrained.folder import TOKENIZER, folder_hash
from crosscut_trainables.word_vectors import file_hash

DRAWN = ("dropout", "alpha", "nbest_size")
"""Options of fast tokenizers with which the same text falls into other pieces each time."""


class Subwords(Pieces):
    """A tokenizer whose ids are rows of an embedding that is learnt.

    Captions keep all their pieces. Where the tokenizer puts no marks around a text, a start and an end mark stand
    there, with the next ids.
    """

    def __init__(self, tokenizer: Any, content: str) -> None:
        """`content` is the hash of its files.

        Raises:
            ValueError: it has marks within a text, no pieces, or draws pieces at random.
        """
        super().__init__(tokenizer, None)
        self.content = content
        # Ids may have gaps.
        self._rows: int = max(tokenizer.get_vocab().values()) + 1
        if self.marks == (0, 0):
            self._before, self._after = [self._rows], [self._rows + 1]
            self._rows += 2
        if not len(self.known):
            raise ValueError("it has no pieces but marks")
        if (drawn := _drawn(tokenizer)) is not None:
            raise ValueError(f"it draws pieces at random ({drawn})")

    def __len__(self) -> int:
        """Number of ids, marks included: the rows of an embedding."""
        return self._rows


def _drawn(tokenizer: Any) -> str | None:
    """The option with which a tokenizer draws pieces at random, None where it draws none."""
    if not tokenizer.is_fast:
        # One of sentencepiece, in Python.
        return "enable_sampling" if getattr(tokenizer, "sp_model_kwargs", {}).get("enable_sampling") else None
    model = tokenizer.backend_tokenizer.model
    found = ((option, getattr(model, option, None)) for option in DRAWN)
    return next((f"{option} {value:g}" for option, value in found if value), None)


def checked(path: str) -> str:
    """The absolute path of a folder with a tokenizer, or of a tokenizer.json; `~` is the home folder.

    Raises:
        ValueError: there is no such path, no tokenizer there, or no transformers to read it with.
    """
    place = Path(path).expanduser().absolute()
    expected = f"found {path!r}, expected a folder with a tokenizer or a tokenizer.json"
    if not place.exists():
        raise ValueError(f"{expected}: there is none")
    if place.is_dir() and not any((place / name).is_file() for name in TOKENIZER):
        raise ValueError(f"{expected}: it has no file of a tokenizer ({', '.join(TOKENIZER)})")
    if find_spec("transformers") is None:
        raise ValueError(f"found {path!r}, which needs transformers: pip install 'crosscut[hf]'")
    try:
        read(str(place))
    except Exception as error:  # transformers and tokenizers raise whatever they like
        raise ValueError(f"{expected}: {_first_sentence(error)}") from error
    return str(place)


def _first_sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].split(". ")[0].rstrip(".") if lines else type(error).__name__


def content_of(path: str) -> str:
    """Hexadecimal SHA-256 of a tokenizer.json, or of the names and contents of the files of a folder."""
    place = Path(path)
    return folder_hash(place) if place.is_dir() else file_hash(place)


def read(path: str) -> Subwords:
    """The tokenizer at `path`, read anew only where its content has changed."""
    return _read(path, content_of(path))


@lru_cache(maxsize=8)
def _read(path: str, content: str) -> Subwords:
    from transformers.models.auto.tokenization_auto import AutoTokenizer
    from transformers.tokenization_utils_tokenizers import TokenizersBackend

    from crosscut_trainables.pretrained.quiet import quiet

    with quiet():
        try:
            if Path(path).is_dir():
                tokenizer = AutoTokenizer.from_pretrained(
                    path, local_files_only=True, trust_remote_code=False
                )
            else:
                tokenizer = TokenizersBackend(tokenizer_file=path)
        except Exception as error:
            raise ValueError(f"transformers cannot read it ({_first_sentence(error)})") from error
        return Subwords(tokenizer, content)
