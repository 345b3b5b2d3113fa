"""The catalogue: all records of a store, of which those that are known from before are not read again.

What a plan needs of a record is kept in `index.json`, with what told its files from others when they were read and
found whole. Where that is the same still, the record is taken from there, and its arrays and its history are read
when somebody asks for them. The index is no truth: it may be lost, and whatever differs is read anew.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from crosscut.records.key import canonical
from crosscut.records.place import Mark
from crosscut.records.record import RECORD_FILE, Attempt, Failure, Record, Step
from crosscut.records.work import Work
from crosscut_trainables.evaluation import QueryRanks, QueryValues, SplitFacts

if TYPE_CHECKING:
    from crosscut.records.store import Store

FILE = "index.json"
FORMAT = 1

Value = TypeVar("Value")


class Catalogue:
    """The records of a store as they are when it is made, and those that are added."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks = store.place.marks("runs")
        self._known, provenance = _load(store)
        self._provenance = _Table(provenance)
        self._dirty = False
        self._saved = time.monotonic()

    @property
    def keys(self) -> list[str]:
        """Keys of all records here, asked for by the sweep or not."""
        return sorted(key for key, files in self._marks.items() if RECORD_FILE in files)

    def read(self, key: str) -> Record | None:
        """The record of `key`, None where there is none.

        Raises:
            DamagedRecord: there is one, but it is not what was written.
        """
        marks = self._marks.get(key)
        if marks is None or RECORD_FILE not in marks:
            return None
        known = self._known.get(key)
        if known is not None and known["marks"] == _plain(marks):
            return self._record(key, known["head"])
        record = self._store.read(key)
        if record is not None:
            self._known[key] = {"marks": _plain(marks), "head": self._head(record)}
            self._dirty = True
        return record

    def mark(self, key: str) -> list[list[int]]:
        """What tells the files of a record from others; nothing of one that was added since the last `save`."""
        return sorted([mark.size, mark.time] for mark in self._marks.get(key, {}).values())

    def size(self, key: str) -> int:
        """Bytes of a record's files."""
        return sum(mark.size for mark in self._marks.get(key, {}).values())

    def set_aside(self, key: str) -> str:
        """Move a record out of the way, never deleting it; returns where it now lies."""
        self._known.pop(key, None)
        self._marks.pop(key, None)
        self._dirty = True
        return self._store.set_aside(key)

    def add(self, record: Record) -> None:
        """Take in a record that was written."""
        self._known[record.key] = {"marks": None, "head": self._head(record)}
        self._dirty = True

    def save(self, every: float = 0.0) -> None:
        """Keep the index for the next time, unless that was done less than `every` seconds ago. It is no loss
        where it cannot be written. Only for a driver: others only look."""
        if not self._dirty or time.monotonic() - self._saved < every:
            return
        self._saved = time.monotonic()
        with contextlib.suppress(OSError):
            self._marks = marks = self._store.place.marks("runs")
            kept = {}
            for key, known in self._known.items():
                if key in marks:
                    found = _plain(marks[key])
                    kept[key] = known if known["marks"] is not None else {**known, "marks": found}
            index = {"format": FORMAT, "provenance": self._provenance.rows, "records": kept}
            self._store.place.write(FILE, json.dumps(index, separators=(",", ":")).encode())
            self._dirty = False

    def _head(self, record: Record) -> dict[str, Any]:
        work = replace(record.work, config={}).to_json()
        del work["config"]
        history = record.history if record.work.phase == "search" else ()
        return {
            "work": work,
            "provenance": self._provenance.row(record.provenance),
            "status": record.status,
            "metrics": dict(record.metrics),
            # Seeds have many steps, of which a plan needs none.
            "history": [[step.step, dict(step.metrics)] for step in history] if history else None,
            "splits": {name: asdict(facts) for name, facts in record.splits.items()},
            "failure": None if record.failure is None else asdict(record.failure),
            "attempts": [asdict(attempt) for attempt in record.attempts],
            "notes": list(record.notes),
            "times": [record.seconds, record.started, record.ended],
        }

    def _record(self, key: str, head: Mapping[str, Any]) -> Record:
        whole = _Whole(self._store, key)
        seconds, started, ended = head["times"]
        history: Sequence[Step]
        if head["history"] is None:
            history = _LazySequence(lambda: whole.record.history)
        else:
            history = tuple(Step(*step) for step in head["history"])
        return Record(
            work=Work.from_json(
                {**head["work"], "config": _LazyMapping[Any](lambda: whole.record.work.config)}
            ),
            status=head["status"],
            metrics=head["metrics"],
            history=history,
            ranks=_LazyMapping[QueryRanks](lambda: whole.record.ranks),
            values=_LazyMapping[QueryValues](lambda: whole.record.values),
            traits=_LazyMapping[QueryValues](lambda: whole.record.traits),
            splits={name: SplitFacts(**facts) for name, facts in head["splits"].items()},
            failure=None if head["failure"] is None else Failure(**head["failure"]),
            attempts=tuple(Attempt(**attempt) for attempt in head["attempts"]),
            notes=tuple(head["notes"]),
            seconds=seconds,
            started=started,
            ended=ended,
            provenance=self._provenance.rows[head["provenance"]],
        )


class _Table:
    """Values that many records share, each kept once."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = list(rows)
        self._places = {canonical(row): place for place, row in enumerate(self.rows)}

    def row(self, value: Mapping[str, Any]) -> int:
        """The place of a value."""
        text = canonical(value)
        if text not in self._places:
            self._places[text] = len(self.rows)
            self.rows.append(dict(value))
        return self._places[text]


@dataclass
class _Whole:
    """A record that is read when somebody asks for it, and once."""

    store: Store
    key: str
    found: Record | None = None

    @property
    def record(self) -> Record:
        """The record. Raises DamagedRecord where it is no longer what it was."""
        if self.found is None:
            self.found = self.store.read_there(self.key)
        return self.found


class _LazyMapping(Mapping[str, Value], Generic[Value]):
    def __init__(self, load: Callable[[], Mapping[str, Value]]) -> None:
        self._load = load

    def __getitem__(self, name: str) -> Value:
        return self._load()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


class _LazySequence(Sequence[Step]):
    def __init__(self, load: Callable[[], Sequence[Step]]) -> None:
        self._load = load

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        return self._load()[index]

    def __len__(self) -> int:
        return len(self._load())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def _plain(marks: Mapping[str, Mark]) -> dict[str, list[int]]:
    return {name: [mark.size, mark.time] for name, mark in marks.items()}


def _load(store: Store) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Known records and provenances; nothing where there is no index, or none that can be read."""
    try:
        plain = json.loads(store.place.read(FILE))
        if plain["format"] == FORMAT:
            return dict(plain["records"]), list(plain["provenance"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}, []
