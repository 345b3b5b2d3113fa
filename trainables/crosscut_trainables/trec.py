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


def pessimistic_order(
    row: NDArray[np.float32], own: NDArray[np.int32], depth: int | None = None
) -> NDArray[np.int64]:
    """The first `depth` items of one query, None for all, in the order that `positive_ranks` ranks them by.

    `row` (items,) scores, `own` (k,) the query's relevant items. By falling score; irrelevant items before
    relevant ones of the same score, and irrelevant ones without a number (NaN) before everything; what is
    then still alike comes in the order of the gallery. Where a relevant item's score is NaN all relevant ones
    come last.
    """
    relevant = np.zeros(len(row), np.bool_)
    relevant[own] = True
    keys = np.where(np.isnan(row), np.inf, row)
    if np.isnan(row[own]).any():
        keys[own] = -np.inf
    kept = len(row) if depth is None else min(depth, len(row))
    candidates = np.arange(len(row))
    if 0 < kept < len(row):
        # Whatever is tied with the last kept item may still come before it.
        limit = np.partition(keys, len(row) - kept)[len(row) - kept]
        candidates = np.flatnonzero(keys >= limit)
    order = np.lexsort((relevant[candidates], -keys[candidates]))
    return candidates[order][:kept]


def write_run(
    path: Path,
    scores: NDArray[np.float32],
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    depth: int | None = None,
    query_ids: Sequence[str] | None = None,
    item_ids: Sequence[str] | None = None,
    tag: str = "crosscut",
) -> None:
    """Write the first `depth` items of each query, None for all, as a TREC run.

    `scores` (queries, items); `positives` as in `Positives`, where a query may have none. Ids are by default
    the numbers from 0; others are written as `safe_id` makes them.

    The score that is written is not the model's: it is the number of lines left, `depth` for the first and 1
    for the last. Tools read neither the order of the lines nor the rank, but sort by score, in single
    precision, and break ties by rules of their own (trec_eval by id, descending). These scores fall strictly
    and float32 holds them exactly, so that every tool sees the one order in which ties and NaN count against
    the model.

    Raises ValueError for positives that do not fit, ids that are too few, empty or not unique, and a depth
    below 1.
    """
    rows, queries, items = _named(scores.shape, positives, query_ids, item_ids)
    if depth is not None and depth < 1:
        raise ValueError(f"found depth {depth}, expected 1 or more")
    name = safe_id(tag)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for query, row in enumerate(scores):
            order = pessimistic_order(row, rows.of(query), depth)
            for rank, item in enumerate(order.tolist(), 1):
                left = len(order) - rank + 1
                file.write(f"{queries[query]} Q0 {items[item]} {rank} {left} {name}\n")


def write_qrels(
    path: Path,
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    items: int,
    query_ids: Sequence[str] | None = None,
    item_ids: Sequence[str] | None = None,
) -> None:
    """Write a line for each relevant item of each query, with relevance 1.

    `items` is the size of the gallery. A query without relevant items has no line, and other tools leave it
    out. Raises ValueError as `write_run` does.
    """
    rows, queries, names = _named((len(positives[0]) - 1, items), positives, query_ids, item_ids)
    with path.open("w", encoding="ascii", newline="\n") as file:
        for query in range(len(rows.starts) - 1):
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


def _named(
    shape: tuple[int, ...],
    positives: tuple[NDArray[np.int64], NDArray[np.int32]],
    query_ids: Sequence[str] | None,
    item_ids: Sequence[str] | None,
) -> tuple[Positives, list[str], list[str]]:
    if len(shape) != 2:
        raise ValueError(f"scores have the shape {shape}, expected (queries, items)")
    rows = Positives(*positives)
    rows.check(*shape, allow_empty=True)
    return rows, _ids("query", shape[0], query_ids), _ids("item", shape[1], item_ids)


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
