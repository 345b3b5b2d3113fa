"""The export of a sweep's runs to the formats of other tools: a long table in Parquet, runs and qrels of TREC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from crosscut.errors import InputError, unexpected
from crosscut.plan import Plan
from crosscut.records.record import DamagedRecord, Record
from crosscut.scores import finished
from crosscut.shelf import ReadDetails
from crosscut_trainables.positive_ranks import Positives, by_image, by_lists
from crosscut_trainables.trec import write_qrels, write_run

TABLE = "ranks.parquet"
TREC = "trec"
QRELS = "qrels.txt"
COLUMNS = ("seed", "metric", "query", "cluster", "value")
"""Columns of the table beside the arm's, which none of its factors may be called."""
IMAGES, CAPTIONS = "image-", "caption-"
"""What ids begin with."""


@dataclass(frozen=True)
class Selection:
    """What is exported; None stands for all there are."""

    arms: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    splits: Sequence[str] | None = None
    depth: int | None = None
    """Items of a TREC run, of those that records keep."""
    trec: bool = True


@dataclass
class Export:
    """What was written."""

    table: Path
    runs: list[Path] = field(default_factory=list)
    """TREC runs."""
    qrels: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """A sentence on each thing that is not there."""


def export(
    plan: Plan,
    details: ReadDetails,
    folder: Path,
    selection: Selection,
    told: Callable[[str], None] = lambda _: None,
) -> Export:
    """Write the runs of a plan that ended well into `folder`: `ranks.parquet`, and below `trec` runs and qrels.

    `told` is called with the name of each run before it is written.

    Raises:
        InputError: the selection names what is not there, or nothing is left of it.
    """
    runs = list(_selected(plan, selection))
    folder.mkdir(parents=True, exist_ok=True)
    made = Export(folder / TABLE)
    _write_table(made.table, runs, selection.splits)
    if selection.trec:
        trec = _Trec(folder / TREC, made, _file_names(arm.arm.name for arm in plan.arms))
        for number, (arm, record) in enumerate(runs, 1):
            told(f"{number} of {len(runs)}: {arm}, seed {record.work.seed}")
            trec.write(arm, record, details, selection)
    return made


def _selected(plan: Plan, selection: Selection) -> Iterator[tuple[str, Record]]:
    names = [arm.arm.name for arm in plan.arms]
    for arm in selection.arms or ():
        if arm not in names:
            raise InputError(f"--arm: {unexpected(arm, 'an arm', names)}")
    seeds = [str(seed) for seed in plan.seeds]
    for seed in selection.seeds or ():
        if str(seed) not in seeds:
            raise InputError(f"--seed: {unexpected(str(seed), 'a seed', seeds)}")
    runs = [
        (arm.arm.name, record)
        for arm in plan.arms
        if selection.arms is None or arm.arm.name in selection.arms
        for found in arm.finals
        if (record := finished(found)) is not None
        and (selection.seeds is None or record.work.seed in selection.seeds)
    ]
    if not runs:
        raise InputError(
            f"{plan.experiment.sweep.name}: there is nothing to export, no such run has ended well"
        )
    splits = sorted({_split(name) for _, record in runs for name in record.ranks})
    for split in selection.splits or ():
        if split not in splits:
            raise InputError(f"--split: {unexpected(split, 'a split', splits)}")
    yield from runs


def _write_table(path: Path, runs: Sequence[tuple[str, Record]], splits: Sequence[str] | None) -> None:
    """A row for each query of each run and metric, and one without a query for what is known of the run alone."""
    factors = list(dict.fromkeys(factor for _, record in runs for factor in record.work.levels))
    column_of = {
        factor: f"factor {factor}" if factor in ("config", *COLUMNS) else factor for factor in factors
    }
    text = pa.dictionary(pa.int32(), pa.string())
    texts = ("config", *column_of.values(), "seed", "metric", "query", "cluster")
    schema = pa.schema([*((name, text) for name in texts), ("value", pa.float64())])
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with parquet.ParquetWriter(beside, schema, compression="zstd") as writer:
            for arm, record in runs:
                same = {"config": arm, "seed": str(record.work.seed)}
                same |= {column_of[factor]: record.work.levels.get(factor, "none") for factor in factors}
                for metric, queries, clusters, values in _measured(record):
                    if splits is not None and _split(metric) not in splits:
                        continue
                    count = len(values)
                    columns: dict[str, Any] = {name: _constant(value, count) for name, value in same.items()}
                    columns |= {"metric": _constant(metric, count), "value": pa.array(values, pa.float64())}
                    columns |= {"query": _coded(queries), "cluster": _coded(clusters)}
                    writer.write_table(pa.table(columns, schema=schema))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _measured(
    record: Record,
) -> Iterator[tuple[str, list[str] | None, list[str] | None, NDArray[np.float64]]]:
    """Metric, its queries and clusters, and its values."""
    for name, found in record.ranks.items():
        yield f"{name}_rank", *_ids(name, found.clusters), found.ranks.astype(np.float64)
    for name, values in record.values.items():
        yield name, *_ids(name, values.clusters), values.values.astype(np.float64)
    for name, value in record.metrics.items():
        if not name.startswith("dev/") and name not in record.values:
            yield name, None, None, np.array([value], np.float64)


def _ids(name: str, clusters: NDArray[np.int32]) -> tuple[list[str], list[str]]:
    """Ids of a metric's queries, and of their clusters."""
    images = [f"{IMAGES}{image}" for image in clusters.tolist()]
    if name.rpartition("/")[2].startswith("i2t"):
        return images, images
    return [f"{CAPTIONS}{caption}" for caption in range(len(clusters))], images


def _constant(value: str, count: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), [value])


def _coded(values: list[str] | None) -> Any:
    if values is None:
        return pa.array([None], pa.dictionary(pa.int32(), pa.string()))
    return pa.array(values).dictionary_encode()


@dataclass
class _Trec:
    """The TREC files: a folder for each set of queries, with their `qrels.txt` and the runs that answer them."""

    folder: Path
    made: Export
    files: Mapping[str, str]
    """arm → what the names of its files begin with."""
    places: dict[str, list[tuple[Path, Positives]]] = field(default_factory=dict)
    """By the name of ranks: folders with what is relevant there, several where arms have other test images."""

    def write(self, arm: str, record: Record, details: ReadDetails, selection: Selection) -> None:
        run = f"{arm}, seed {record.work.seed}"
        try:
            rankings = details(record.key).rankings
        except DamagedRecord as error:
            self.made.notes.append(f"{run}: its details are damaged ({error}), so it has no TREC run")
            return
        wanted = [n for n in rankings if selection.splits is None or _split(n) in selection.splits]
        if not wanted:
            self.made.notes.append(
                f"{run}: it keeps no rankings (evaluation.rankings), so it has no TREC run"
            )
        for name in wanted:
            items, gallery = rankings[name].items[:, : selection.depth], rankings[name].gallery
            queries, names, positives = _judged(name, record, gallery)
            path = self._place(name, queries, names, positives)
            path /= f"{self.files[arm]}-seed{record.work.seed}.run"
            write_run(path, items, gallery, queries, names, tag=run)
            self.made.runs.append(path)

    def _place(self, name: str, queries: Sequence[str], names: Sequence[str], positives: Positives) -> Path:
        """The folder of these queries, made where it is new."""
        known = self.places.setdefault(name, [])
        for place, there in known:
            same = np.array_equal(there.starts, positives.starts)
            if same and np.array_equal(there.indices, positives.indices):
                return place
        number = f"-{len(known) + 1}" if known else ""
        place = self.folder / f"{name.replace('/', '.')}{number}"
        place.mkdir(parents=True, exist_ok=True)
        write_qrels(place / QRELS, positives, len(names), queries, names)
        self.made.qrels.append(place / QRELS)
        known.append((place, positives))
        return place


def _judged(name: str, record: Record, gallery: int) -> tuple[list[str], list[str], Positives]:
    """Ids of the queries and of the gallery, and what is relevant: what is of one image."""
    split, _, way = name.rpartition("/")
    asked = record.ranks[name].clusters
    queries, _ = _ids(name, asked)
    if way == "i2t":
        of_images, _ = by_image(record.ranks[f"{split}/t2i"].clusters)
        positives = by_lists([of_images.of(image).tolist() for image in asked.tolist()])
        return queries, [f"{CAPTIONS}{caption}" for caption in range(gallery)], positives
    _, positives = by_image(asked, gallery)
    return queries, [f"{IMAGES}{image}" for image in range(gallery)], positives


def _split(name: str) -> str:
    return name.rpartition("/")[0]


def _file_names(arms: Iterable[str]) -> dict[str, str]:
    """arm → its name as that of a file, no two alike."""
    found: dict[str, str] = {}
    for arm in arms:
        plain = re.sub(r"[^A-Za-z0-9.+=-]+", "_", arm).strip("_.") or "arm"
        number = 1
        while (name := plain if number == 1 else f"{plain}_{number}") in found.values():
            number += 1
        found[arm] = name
    return found
