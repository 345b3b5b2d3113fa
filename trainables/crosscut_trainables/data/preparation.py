"""The preparation of a data set of files: it is read once, and written as `Prepared` maps it."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from crosscut_trainables.data.file_data import FileData
from crosscut_trainables.data.inspection import shared
from crosscut_trainables.data.prepared import (
    CONTENTS,
    ENDS,
    VOCABULARY,
    Contents,
    Origin,
    SplitContents,
    Splits,
)
from crosscut_trainables.data.split import SPLITS, Split, SplitName
from crosscut_trainables.data.split_files import Making, SplitFiles, Told
from crosscut_trainables.data.vocabulary import Vocabulary


def prepare(
    data: FileData,
    out: Path,
    making: Making | None = None,
    *,
    force: bool = False,
    told: Told = lambda what, done, total: None,
) -> Contents:
    """Read all of `data` and write it to the folder `out`, which is there whole in the end or not at all.

    It is written beside `out` and moved, image block by image block, so that features and pictures are never in
    memory as a whole. `force` lets it take the place of a folder that was prepared.

    Raises:
        ValueError: something is wrong with the data, or `out` has files; nothing was written then.
        OSError: a file cannot be read or written; nothing is left then either.
    """
    making = making or Making()
    out = _place(out, data.place, force)
    splits = {split: _read(data, split, told) for split in SPLITS}
    if (sentence := next(shared(splits), None)) is not None:
        raise ValueError(f"{data.place}: {sentence}, expected splits that share no image")
    near = next(folder for folder in out.parents if folder.exists())
    beside = near / f"{out.name}.unfinished-{uuid.uuid4().hex[:8]}"
    beside.mkdir()
    try:
        contents = _write(data, splits, beside, making, told)
        out.parent.mkdir(parents=True, exist_ok=True)
        _move(beside, out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return contents


def _place(out: Path, source: Path, force: bool) -> Path:
    """`out` in full, if it may be written."""
    out, source = out.expanduser().resolve(), source.resolve()
    if source.is_relative_to(out):
        raise ValueError(f"{out}: found the folder that is prepared, or one around it, expected another")
    if not out.exists():
        return out
    if not out.is_dir():
        raise ValueError(f"{out}: found a file, expected a new folder")
    found = sorted(path.name for path in out.iterdir())
    if not found:
        return out
    if not _is_prepared(out):
        raise ValueError(
            f"{out}: found a folder that has files and was not prepared, expected a new one or an empty one"
        )
    if not force:
        raise ValueError(
            f"{out}: found a prepared folder, expected a new one or an empty one, or --force to replace it"
        )
    own = {CONTENTS, VOCABULARY, *(f"{split}_{end}" for split in SPLITS for end in ENDS)}
    if other := [name for name in found if name not in own]:
        raise ValueError(f"{out}: found {other[0]!r}, expected nothing but what was prepared, to replace it")
    return out


def _is_prepared(folder: Path) -> bool:
    """Whether it was prepared, in whatever format."""
    try:
        return "format" in json.loads((folder / CONTENTS).read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _read(data: FileData, split: SplitName, told: Told) -> Split:
    told(f"{split} captions", 0, 0)
    found = data.read(split)
    if found.referents is not None:
        raise ValueError(f"{data.place}: found referents of words, which a prepared folder does not hold")
    if not found.captions:
        raise ValueError(f"{data.place}: {split}: found no captions, expected some")
    told(f"{split} captions", len(found.captions), len(found.captions))
    return found


def _write(
    data: FileData, splits: Mapping[SplitName, Split], folder: Path, making: Making, told: Told
) -> Contents:
    vocabulary = Vocabulary.build(splits["train"].captions, making.min_count)
    parts: dict[SplitName, SplitContents] = {}
    for name, split in splits.items():
        parts[name] = SplitFiles(folder, name, split, making, told, str(data.place)).write()
    vocabulary.write(folder / VOCABULARY)
    contents = Contents(
        source=Origin(
            options=data.model_dump(mode="json", exclude={"folder"}),
            fingerprint=data.fingerprint(),
            units=data.units(),
        ),
        half=making.half,
        side=making.side if any(part.pictures for part in parts.values()) else None,
        min_count=making.min_count,
        vocabulary=len(vocabulary.words),
        splits=Splits(train=parts["train"], dev=parts["dev"], test=parts["test"]),
    )
    (folder / CONTENTS).write_text(contents.model_dump_json(indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    return contents


def _move(beside: Path, out: Path) -> None:
    """Give a folder its name, in place of an empty folder or of one that was prepared."""
    if not out.exists() or not any(out.iterdir()):
        beside.rename(out)
        return
    before = beside.with_name(f"{beside.name}-before")
    out.rename(before)
    try:
        beside.rename(out)
    except BaseException:
        before.rename(out)
        raise
    shutil.rmtree(before)
