"""The details of a run: what its queries retrieve, and some of them to look at. They are read when they are asked
for, not with the record, since they are many times its size."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.evaluation import QueryExample, QueryRanking

RANKINGS_FILE = "rankings.npz"
EXAMPLES_FILE = "examples.npz"
DETAIL_FILES = (RANKINGS_FILE, EXAMPLES_FILE)


@dataclass(frozen=True)
class Details:
    """Both by the names of a record's ranks, such as `test/t2i`."""

    rankings: Mapping[str, QueryRanking] = field(default_factory=dict)
    examples: Mapping[str, Sequence[QueryExample]] = field(default_factory=dict)

    def to_files(self) -> dict[str, bytes]:
        """File name → content, of those that there are."""
        files: dict[str, bytes] = {}
        if self.rankings:
            files[RANKINGS_FILE] = _packed(
                {name: _of_ranking(found) for name, found in self.rankings.items()}
            )
        examples = {name: found for name, found in self.examples.items() if found}
        if examples:
            files[EXAMPLES_FILE] = _packed({name: _of_examples(found) for name, found in examples.items()})
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Details:
        """What `to_files` wrote; attention has lost what half precision does not hold."""
        rankings, examples = (_unpacked(files.get(name)) for name in DETAIL_FILES)
        return cls(
            rankings={
                name: QueryRanking(parts["items"].astype(np.int32), int(parts["gallery"][0]))
                for name, parts in rankings.items()
            },
            examples={name: tuple(_examples(parts)) for name, parts in examples.items()},
        )


def _of_ranking(found: QueryRanking) -> dict[str, NDArray[Any]]:
    small = np.uint16 if found.gallery <= 2**16 else np.int32
    return {"items": found.items.astype(small), "gallery": np.array([found.gallery])}


def _of_examples(examples: Sequence[QueryExample]) -> dict[str, NDArray[Any]]:
    """All of them one after the other: hundreds of small arrays would be mostly names."""
    described = [
        {
            "query": example.query,
            "words": list(example.words),
            "regions": len(example.boxes),
            "attends": example.attention is not None,
            "picture": None if example.picture is None else list(example.picture.shape),
        }
        for example in examples
    ]
    weights = [example.attention for example in examples if example.attention is not None]
    pictures = [example.picture for example in examples if example.picture is not None]
    return {
        "described": np.frombuffer(json.dumps(described).encode(), np.uint8),
        "boxes": _flat([example.boxes for example in examples], np.float32),
        "attention": _flat(weights, np.float16),
        "pictures": _flat(pictures, np.uint8),
    }


def _examples(parts: Mapping[str, NDArray[Any]]) -> list[QueryExample]:
    found = []
    boxes, attention, pictures = (_Cut(parts[name]) for name in ("boxes", "attention", "pictures"))
    for one in json.loads(parts["described"].tobytes()):
        words, regions = tuple(one["words"]), one["regions"]
        found.append(
            QueryExample(
                query=one["query"],
                words=words,
                boxes=boxes.next((regions, 4)),
                attention=attention.next((len(words), regions)).astype(np.float32)
                if one["attends"]
                else None,
                picture=None if one["picture"] is None else pictures.next(one["picture"]),
            )
        )
    return found


class _Cut:
    """Arrays that lie one after the other."""

    def __init__(self, flat: NDArray[Any]) -> None:
        self._flat, self._at = flat, 0

    def next(self, shape: Sequence[int]) -> NDArray[Any]:
        start, self._at = self._at, self._at + int(np.prod(shape, dtype=np.int64))
        return self._flat[start : self._at].reshape(tuple(shape))


def _flat(arrays: Sequence[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate([np.empty(0, kind), *(array.astype(kind).ravel() for array in arrays)])


def _packed(parts: Mapping[str, Mapping[str, NDArray[Any]]]) -> bytes:
    arrays: dict[str, Any] = {
        f"{name}/{part}": parts[name][part] for name in sorted(parts) for part in parts[name]
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _unpacked(content: bytes | None) -> dict[str, dict[str, NDArray[Any]]]:
    found: dict[str, dict[str, NDArray[Any]]] = {}
    if content is not None:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            for full in arrays.files:
                name, _, part = full.rpartition("/")
                found.setdefault(name, {})[part] = arrays[full]
    return found
