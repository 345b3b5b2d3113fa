"""Rankings and relevance judgements as files of TREC, which trec_eval and other tools read; no torch.

A run has a line `query Q0 item rank score tag` for each retrieved item, the judgements (qrels) a line
`query 0 item relevance` for each relevant one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from crosscut_trainables.positive_ranks import Positives

T = TypeVar("T")

_PRINTABLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")


def safe_id(name: str) -> str:
    """The name with blanks, `%`, control characters and all beyond ASCII written as `%20` and so on.

    Different names stay different, and `urllib.parse.unquote` gives them back. Raises ValueError for no name.
    """
    if not name:
        raise ValueError("an id is empty")
    return quote(name, safe=_PRINTABLE)


def write_run(
    path: Path,
    items: NDArray[np.int32],
    gallery: int,
    query_ids: Sequence[str] | None = None,
    item_ids: Sequence[str] | None = None,
    tag: str = "crosscut",
) -> None:
    """Write the items that each query retrieves, `items` (queries, depth) of a gallery, as a TREC run.

    They come best first, as `rankings.first_items` gives them. Ids are by default the numbers from 0; others are
    written as `safe_id` makes them.

    The score that is written is not the model's: it is the number of lines left, `depth` for the first and 1
    for the last. Tools read neither the order of the lines nor the rank, but sort by score, in single
    precision, and break ties by rules of their own (trec_eval by id, descending). These scores fall strictly
    and float32 holds them exactly, so that every tool sees the one order in which ties and NaN count against
    the model.

    Raises ValueError for items outside the gallery, and ids that are too few, empty or not unique.
    """
    if items.ndim != 2:
        raise ValueError(f"rankings have the shape {items.shape}, expected (queries, items)")
    if items.size and not 0 <= items.min() <= items.max() < gallery:
        raise ValueError(f"rankings run from {items.min()} to {items.max()}, expected 0 to {gallery - 1}")
    queries, names = _ids("query", len(items), query_ids), _ids("item", gallery, item_ids)
    name, depth = safe_id(tag), items.shape[1]
    with path.open("w", encoding="ascii", newline="\n") as file:
        for query, row in zip(queries, items.tolist(), strict=True):
            file.writelines(
                f"{query} Q0 {names[item]} {rank} {depth - rank + 1} {name}\n"
                for rank, item in enumerate(row, 1)
            )


def write_qrels(
    path: Path,
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    items: int,
    query_ids: Sequence[str] | None = None,
    item_ids: Sequence[str] | None = None,
) -> None:
    """Write a line for each relevant item of each query, with relevance 1.

    `items` is the size of the gallery. A query without relevant items has no line, and other tools leave it
    out. Raises ValueError for positives that do not fit, and for ids as `write_run` does.
    """
    rows = Positives(*positives)
    count = len(rows.starts) - 1
    rows.check(count, items, allow_empty=True)
    queries, names = _ids("query", count, query_ids), _ids("item", items, item_ids)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for query in range(count):
            file.writelines(f"{queries[query]} 0 {names[item]} 1\n" for item in rows.of(query).tolist())


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """The written score by query and item. Raises ValueError naming file and line for what is not of a run."""
    run: dict[str, dict[str, float]] = {}
    for place, (query, _, item, _, score, _) in _lines(path, "query Q0 item rank score tag"):
        _add(run, query, item, _number(float, score, place), place)
    return run


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """The relevance by query and item. Raises ValueError naming file and line for what is no judgement."""
    judged: dict[str, dict[str, int]] = {}
    for place, (query, _, item, relevance) in _lines(path, "query 0 item relevance"):
        _add(judged, query, item, _number(int, relevance, place), place)
    return judged


def _ids(what: str, count: int, names: Sequence[str] | None) -> list[str]:
    if names is None:
        return [str(place) for place in range(count)]
    if len(names) != count:
        raise ValueError(f"found {len(names)} {what} ids, expected {count}")
    if len(set(names)) < count:
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"found {what} id {twice!r} more than once")
    return [safe_id(name) for name in names]


def _lines(path: Path, layout: str) -> Iterator[tuple[str, list[str]]]:
    """Where each line stands, and its fields, as many as the layout has."""
    with path.open(encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            fields = line.split()
            if len(fields) != len(layout.split()):
                raise ValueError(f"{path}, line {number}: found {line.rstrip()!r}, expected {layout!r}")
            yield f"{path}, line {number}", fields


def _number(of: Callable[[str], T], text: str, place: str) -> T:
    try:
        return of(text)
    except ValueError:
        raise ValueError(f"{place}: found {text!r}, expected a number") from None


def _add(table: dict[str, dict[str, T]], query: str, item: str, value: T, place: str) -> None:
    of_query = table.setdefault(query, {})
    if item in of_query:
        raise ValueError(f"{place}: item {item!r} of query {query!r} comes a second time")
    of_query[item] = value
