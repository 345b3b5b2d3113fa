"""A table of synonyms, read from a text file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

Synonyms = dict[str, tuple[tuple[str, ...], ...]]
"""Word → its synonyms, each as its words."""

LINE = "a word, a tab, and its synonyms with tabs between them"


def read_synonyms(path: Path) -> Synonyms:
    """The synonyms of every word of the table.

    A line is `word<TAB>synonym[<TAB>synonym…]` in UTF-8; a synonym may be several words. Capital letters are
    read as small ones; empty lines, and tabs and spaces at the end of a line, are passed over. A file whose
    time and size are as before is not read again.

    Raises:
        ValueError: there is no such file, it is no UTF-8 text, it has no line, or a line is something else, gives
            the word as its own synonym, or gives a word for the second time.
    """
    if not path.is_file():
        raise ValueError(f"{path}: found no such file, expected a table of synonyms, each line {LINE}")
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _read(path: Path, time: int, size: int) -> Synonyms:
    table: Synonyms = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        word, *synonyms = (field.strip().lower() for field in line.rstrip().split("\t"))
        where = f"{path}: line {number}"
        if not synonyms or not all((word, *synonyms)) or len(word.split()) > 1:
            raise ValueError(f"{where}: found {line.rstrip()!r}, expected {LINE}")
        if word in synonyms:
            raise ValueError(f"{where}: found {word!r} as its own synonym, expected another word")
        if word in table:
            raise ValueError(
                f"{where}: found {word!r} again after line {lines[word]}, expected one line for each word"
            )
        table[word] = tuple(tuple(synonym.split()) for synonym in synonyms)
        lines[word] = number
    if not table:
        raise ValueError(f"{path}: found no line, expected {LINE} on each")
    return table


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = content[error.start : error.start + 1].hex()
        raise ValueError(f"{path}: line {line}: found the byte 0x{found}, expected UTF-8 text") from None
