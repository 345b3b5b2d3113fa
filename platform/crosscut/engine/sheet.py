"""A sheet: a run of TensorBoard's whose curves are drawn anew as a whole, while TensorBoard looks on."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crosscut.engine.event_file import packed

KEPT = 2
"""Files of a sheet: the newest, and the one before it, which a TensorBoard may be about to read to its end."""

BEFORE = -(2**62)
"""A step before all others."""

FEW = 8
"""Values of an event."""


class Sheet:
    """Curves that replace those that were there before. Nothing is written before the first `draw`.

    A file that TensorBoard has read is not read again, however it changes, so every drawing is a new file, whose
    name sorts after those before it, and which appears whole. What older files told is taken back in two ways,
    since TensorBoard has two readers. Its data server drops the points of a tag from the step of the next one on
    that it reads: a value without content at the first step leaves none. The reader in Python, which would choke
    on such a value, drops all points at a session's start: one follows them. So no point outlives its drawing,
    even where curves become shorter or end.

    Args:
        folder: of the run.
        place: which run it is, from 1; TensorBoard lists runs by their first time stamp, so sheets come first, in
            this order.
    """

    def __init__(self, folder: Path, place: int) -> None:
        self.folder = folder
        self._place = place
        self._tags: dict[str, None] | None = None

    def draw(self, curves: Mapping[str, Mapping[int, float]], values: Sequence[Any] = ()) -> None:
        """Write curves, tag → step → value, and `Summary.Value`s that have no step, in place of what was there.

        Raises:
            OSError: they cannot be written; TensorBoard then has what it had.
        """
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        self.folder.mkdir(parents=True, exist_ok=True)
        files = self._files()
        tags = self._remember(files)
        tags |= dict.fromkeys(curves)
        events: list[bytes] = []

        def add(step: int, stamp: float, **what: Any) -> None:
            events.append(Event(wall_time=stamp, step=step, **what).SerializeToString())

        early, now = float(self._place), time.time()
        start = SessionLog(status=SessionLog.START)
        add(0, early, file_version="brain.Event:2")
        add(BEFORE, early, session_log=start)
        for few in _few(_nothing(tags)):
            add(BEFORE, early, summary=Summary(value=few))
        add(BEFORE, early, session_log=start)
        if values:
            add(0, now, summary=Summary(value=values))
        for step, found in _by_step(curves):
            for few in _few([Summary.Value(tag=tag, simple_value=value) for tag, value in found]):
                add(step, now, summary=Summary(value=few))
        # TensorBoard knows files by their names, so none may come again, even where the folder was removed.
        number = max(time.time_ns() // 1_000_000, 1 + (_number(files[-1]) if files else 0))
        # TensorBoard takes any name that contains "tfevents" for one of its files.
        temporary = self.folder / ".next"
        temporary.write_bytes(packed(events))
        temporary.replace(self.folder / f"events.out.tfevents.{number:013d}")
        for path in files[: max(0, len(files) + 1 - KEPT)]:
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the run out of TensorBoard."""
        # It may come back before TensorBoard has seen that it was gone.
        self._remember(self._files())
        shutil.rmtree(self.folder, ignore_errors=True)

    def _remember(self, files: Sequence[Path]) -> dict[str, None]:
        """All tags that were ever drawn, by an earlier driver too."""
        if self._tags is None:
            self._tags = _tags(files[-1]) if files else {}
        return self._tags

    def _files(self) -> list[Path]:
        """The files there are, oldest first."""
        return sorted(path for path in self.folder.glob("events.out.tfevents.*") if _number(path))


def _number(path: Path) -> int:
    """Which drawing a file is, in milliseconds since 1970; 0 where it is none."""
    last = path.name.rpartition(".")[2]
    return int(last) if last.isascii() and last.isdigit() else 0


def _tags(path: Path) -> dict[str, None]:
    """The tags that an earlier driver drew, those included whose curves had ended: all stand before the others."""
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    found: dict[str, None] = {}
    for event in LegacyEventFileLoader(str(path)).Load():
        if event.HasField("summary"):
            if event.step != BEFORE:
                break
            found |= {value.tag: None for value in event.summary.value}
    return found


def _nothing(tags: Iterable[str]) -> list[Any]:
    """Values of a scalar's kind that hold none."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_FLOAT
    from tensorboard.plugins.scalar import metadata

    kind = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME))
    empty = TensorProto(dtype=DT_FLOAT, tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=0)]))
    return [Summary.Value(tag=tag, metadata=kind, tensor=empty) for tag in tags]


def _by_step(curves: Mapping[str, Mapping[int, float]]) -> list[tuple[int, list[tuple[str, float]]]]:
    """Step → tags and their values, in the order of the steps."""
    found: dict[int, list[tuple[str, float]]] = {}
    for tag, points in curves.items():
        for step, value in points.items():
            found.setdefault(step, []).append((tag, value))
    return sorted(found.items())


def _few(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values in events that are neither long, which costs time to write, nor many, which costs time to read."""
    return (values[start : start + FEW] for start in range(0, len(values), FEW))
