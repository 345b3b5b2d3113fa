"""A record: the immutable outcome of a run or a search trial, and its form on disk."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from crosscut.records.details import DETAIL_FILES, Details
from crosscut.records.key import FORMAT, canonical
from crosscut.records.work import Work
from crosscut_trainables.evaluation import QueryRanks, QueryValues, SplitFacts

Status = Literal["finished", "pruned", "failed"]
FailureKind = Literal["raised", "diverged", "lost", "memory", "stalled", "timeout"]

RECORD_FILE = "record.json"
RANKS_FILE = "ranks.npz"
VALUES_FILE = "values.npz"
TRAITS_FILE = "traits.npz"


class DamagedRecord(Exception):  # noqa: N818 - a state of the record, told in its own words
    """A record that is not what was written: truncated, altered, or of a format that is not known."""


@dataclass(frozen=True)
class Failure:
    """Why a run ended without a result."""

    kind: FailureKind
    """`raised`: the trainable raised. `diverged`: it yielded NaN or an infinity. `lost`: its process or machine
    died. `memory`: there was too little. `stalled`: it reported nothing for too long. `timeout`: it took too
    long."""
    reason: str
    """One sentence."""
    traceback: str = ""


@dataclass(frozen=True)
class Attempt:
    """A try of a run that came to nothing and was followed by another."""

    kind: FailureKind
    reason: str
    """One sentence."""
    ended: float = 0.0
    """Unix time."""


@dataclass(frozen=True)
class Step:
    """What a run reported at one step."""

    step: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Record:
    """The outcome of one piece of work."""

    work: Work
    status: Status
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Step] = ()
    ranks: Mapping[str, QueryRanks] = field(default_factory=dict)
    values: Mapping[str, QueryValues] = field(default_factory=dict)
    """Further metrics by query."""
    traits: Mapping[str, QueryValues] = field(default_factory=dict)
    """What is known of queries beside how well they do."""
    splits: Mapping[str, SplitFacts] = field(default_factory=dict)
    """What splits are."""
    details: Details | None = None
    """None in a record that was read: `Store.details` reads them."""
    failure: Failure | None = None
    attempts: Sequence[Attempt] = ()
    """The tries before the one that this is the outcome of."""
    notes: Sequence[str] = ()
    """What the trainable says of the run, a sentence each."""
    seconds: float = 0.0
    """Time spent training and evaluating, over all attempts that were resumed."""
    spent: Mapping[str, float] = field(default_factory=dict)
    """What of it went into what, as the trainable says; not all of it need be told."""
    started: float = 0.0
    """Unix time at which the last attempt began."""
    ended: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The key of the work, and the name of the record's folder."""
        return self.work.key

    def best(self, metric: str, maximize: bool) -> float | None:
        """Best value of `metric` over the reported steps and the final metrics, None where it has none."""
        values = [s.metrics[metric] for s in self.history if metric in s.metrics]
        if metric in self.metrics:
            values.append(self.metrics[metric])
        if not values:
            return None
        return max(values) if maximize else min(values)

    def to_files(self) -> dict[str, bytes]:
        """File name → content. `record.json` holds checksums of the other files and of itself."""
        files: dict[str, bytes] = {}
        if self.ranks:
            pairs = {name: (found.ranks, found.clusters) for name, found in self.ranks.items()}
            files[RANKS_FILE] = _to_npz("ranks", np.int32, pairs)
        if self.values:
            values = {name: (found.values, found.clusters) for name, found in self.values.items()}
            files[VALUES_FILE] = _to_npz("values", np.float32, values)
        if self.traits:
            traits = {name: (found.values, found.clusters) for name, found in self.traits.items()}
            files[TRAITS_FILE] = _to_npz("values", np.float32, traits)
        if self.details is not None:
            files |= self.details.to_files()
        body: dict[str, Any] = {
            "format": FORMAT,
            "key": self.key,
            "status": self.status,
            "work": self.work.to_json(),
            "metrics": dict(self.metrics),
            "history": [{"step": s.step, "metrics": dict(s.metrics)} for s in self.history],
            "splits": {name: asdict(facts) for name, facts in self.splits.items()},
            "failure": None if self.failure is None else asdict(self.failure),
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "notes": list(self.notes),
            "seconds": self.seconds,
            "spent": dict(self.spent),
            "started": self.started,
            "ended": self.ended,
            "provenance": dict(self.provenance),
            "files": {name: _sha256(content) for name, content in files.items()},
        }
        body["checksum"] = _sha256(canonical(body).encode())
        files[RECORD_FILE] = json.dumps(body, indent=1, sort_keys=True, allow_nan=False).encode()
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Record:
        """The record that `to_files` wrote, without its details, whose files need not be among `files`.

        Raises:
            DamagedRecord: a file is missing or does not have its checksum.
        """
        try:
            body = json.loads(files[RECORD_FILE])
            checksum = body.pop("checksum")
            sound = checksum == _sha256(canonical(body).encode())
        except KeyError as error:
            raise DamagedRecord(f"{error} is missing") from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedRecord(f"{RECORD_FILE} is not a record: {error}") from error
        if not sound:
            raise DamagedRecord(f"{RECORD_FILE} does not have its checksum")
        if body["format"] != FORMAT:
            raise DamagedRecord(f"format {body['format']} is not {FORMAT}")
        _check(files, {name: sum_ for name, sum_ in body["files"].items() if name not in DETAIL_FILES})
        # Most records have no values of their own; the oldest never had.
        ranks = _from_npz("ranks", files[RANKS_FILE]) if RANKS_FILE in body["files"] else {}
        values = _from_npz("values", files[VALUES_FILE]) if VALUES_FILE in body["files"] else {}
        traits = _from_npz("values", files[TRAITS_FILE]) if TRAITS_FILE in body["files"] else {}
        failure = body["failure"]
        return cls(
            work=Work.from_json(body["work"]),
            status=body["status"],
            metrics=body["metrics"],
            history=tuple(Step(s["step"], s["metrics"]) for s in body["history"]),
            ranks={name: QueryRanks(*pair) for name, pair in ranks.items()},
            values={name: QueryValues(*pair) for name, pair in values.items()},
            traits={name: QueryValues(*pair) for name, pair in traits.items()},
            splits={name: SplitFacts(**facts) for name, facts in body.get("splits", {}).items()},
            failure=None if failure is None else Failure(**failure),
            # A record that was written before there were notes, attempts or parts of its time is as good.
            attempts=tuple(Attempt(**attempt) for attempt in body.get("attempts", ())),
            notes=tuple(body.get("notes", ())),
            seconds=body["seconds"],
            spent=body.get("spent", {}),
            started=body["started"],
            ended=body["ended"],
            provenance=body["provenance"],
        )


def details_of(files: Mapping[str, bytes]) -> Details:
    """The details in the files of a record that is sound.

    Raises:
        DamagedRecord: a file of them is missing or does not have its checksum.
    """
    sums = json.loads(files[RECORD_FILE])["files"]
    _check(files, {name: sums[name] for name in DETAIL_FILES if name in sums})
    return Details.from_files(files)


def _check(files: Mapping[str, bytes], sums: Mapping[str, str]) -> None:
    for name, expected in sums.items():
        if name not in files:
            raise DamagedRecord(f"{name} is missing")
        if _sha256(files[name]) != expected:
            raise DamagedRecord(f"{name} does not have its checksum")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _to_npz(what: str, kind: DTypeLike, pairs: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> bytes:
    """Arrays by query, each with the clusters of its queries."""
    arrays: dict[str, Any] = {}
    for name in sorted(pairs):
        own, clusters = pairs[name]
        arrays[f"{name}/{what}"] = own.astype(kind)
        arrays[f"{name}/clusters"] = clusters.astype(np.int32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _from_npz(what: str, content: bytes) -> dict[str, tuple[NDArray[Any], NDArray[np.int32]]]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        names = sorted(name.removesuffix(f"/{what}") for name in arrays.files if name.endswith(f"/{what}"))
        return {name: (arrays[f"{name}/{what}"], arrays[f"{name}/clusters"]) for name in names}
