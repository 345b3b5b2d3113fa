"""Vectors of words, read from a file in the text form of GloVe, word2vec and fastText."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def read_word_vectors(path: Path, words: tuple[str, ...], width: int) -> dict[str, NDArray[np.float32]]:
    """Word → vector (width,) of those of `words` that the file has.

    A line is a word and its numbers, separated by spaces; a first line of two numbers, which word2vec writes, is
    passed over. A word may hold spaces, as some of GloVe's do.

    Raises:
        ValueError: a line has another number of values than `width`, or something that is no number; none of
            `words` is in the file.
    """
    wanted, found = set(words), dict[str, NDArray[np.float32]]()
    for number, line in enumerate(_lines(path), start=1):
        word, *values = line.rstrip().split(" ")
        if number == 1 and len(values) == 1 and word.isdigit() and values[0].isdigit():
            continue
        if word not in wanted or not all(_is_number(value) for value in values[:-width]):
            continue  # in the second case it is the first part of a word with spaces in it
        if len(values) != width:
            raise ValueError(
                f"{path}: line {number}: found {len(values)} values for {word!r}, expected {width} "
                "(encoder.word_width)"
            )
        if not all(_is_number(value) for value in values):
            raise ValueError(f"{path}: line {number}: {word!r} has a value that is no number")
        with np.errstate(over="ignore"):
            vector = np.array([float(value) for value in values]).astype(np.float32)
        if not np.isfinite(vector).all():
            raise ValueError(f"{path}: line {number}: {word!r} has a value that is not finite")
        found.setdefault(word, vector)
    if not found:
        raise ValueError(f"{path}: none of the {len(words)} words of the vocabulary is in this file")
    return found


def file_hash(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content. One whose time and size are as before is not read again."""
    stat = path.stat()
    return _hash(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _hash(path: Path, time: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from file


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
