"""The base of data sets that are read from files of the user."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from crosscut_trainables.data.content import content_hash
from crosscut_trainables.data.split import Dataset, Split, SplitName
from crosscut_trainables.data.words import TOKENIZERS, Tokenizer


class FileData(Dataset):
    """A folder of files, in a format that others have fixed."""

    fetch: ClassVar[str]
    """What to fetch, and where it goes, for someone who lacks it."""

    folder: str = Field(description="The folder of its files.")
    tokenizer: Tokenizer = Field(
        "treebank",
        description="How captions are cut into words: treebank (as the region-word family does), or letters "
        "(punctuation goes).",
    )

    @model_validator(mode="after")
    def _has_its_files(self) -> FileData:
        folder = Path(self.folder).expanduser().absolute()
        if not folder.is_dir():
            raise ValueError(f"folder: found {self.folder!r}, expected a folder: there is none; {self.fetch}")
        object.__setattr__(self, "folder", str(folder))
        missing = next((path for path in self.files() if not path.is_file()), None)
        if missing is not None:
            raise ValueError(f"folder: found no {missing.relative_to(folder)} in {folder}; {self.fetch}")
        return self

    @property
    def place(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @abstractmethod
    def files(self) -> Iterable[Path]:
        """All files that define the splits, which must be there; pictures are looked for as they are read."""

    @abstractmethod
    def read(self, split: SplitName) -> Split:
        """The split, read now."""

    def load(self, split: SplitName) -> Split:
        return _load(self, split)

    def fingerprint(self) -> str:
        options = sha256(self.model_dump_json(exclude={"folder"}).encode()).hexdigest()
        return f"{content_hash(self.files())}{options[:16]}"

    def words(self, text: str) -> tuple[str, ...]:
        """The words of a caption."""
        return TOKENIZERS[self.tokenizer](text)


@lru_cache(maxsize=32)
def _load(data: FileData, split: SplitName) -> Split:
    return data.read(split)


def lines_of(path: Path) -> Iterator[str]:
    """The lines of a text file, without what ends them.

    Raises:
        ValueError: it is no UTF-8, or a line is empty; with the file and the line.
    """
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            text = line.decode().strip()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, line {number}: found bytes that are no UTF-8 ({error.reason})"
            ) from error
        if not text:
            raise ValueError(f"{path}, line {number}: found an empty line, expected a caption")
        yield text
