"""Event files that are written at once, against TensorBoard's own writer and reader."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.summary.writer.record_writer import RecordWriter

from crosscut.engine.event_file import packed


def texts() -> list[bytes]:
    random = np.random.default_rng(0)
    return [random.bytes(int(length)) for length in [4, 5, 1000, *random.integers(4, 300, 50)]]


def test_the_bytes_are_those_of_tensorboards_own_writer() -> None:
    theirs = io.BytesIO()
    writer = RecordWriter(theirs)
    for text in texts():
        writer.write(text)
    assert packed(texts()) == theirs.getvalue()


def test_tensorboard_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(packed(texts()))
    assert list(RawEventFileLoader(str(path)).Load()) == texts()


def test_no_events_are_no_bytes() -> None:
    assert packed([]) == b""
