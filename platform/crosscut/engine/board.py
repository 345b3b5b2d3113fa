"""TensorBoard files of a run: its scalars, its pictures, and its place in the HParams table."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crosscut.arms.experiment import Experiment
from crosscut.records.work import Work

Detail = Literal["all", "final", "arms"]
"""Which runs have curves of their own: all, those with a final seed and no search trials, or none, which leaves
what the arms come to over their seeds."""

ARMS = "0-arms"
"""Folder of what the arms come to over their seeds, which sorts before the runs."""


def drawn(work: Work, detail: Detail) -> bool:
    """Whether a run has curves of its own."""
    return detail == "all" or (detail == "final" and work.phase == "final")


def folder_of(work: Work) -> str:
    """Folder of a run below the TensorBoard folder, so named that runs sort by arm, search trials first.

    Two arms never share one, and none lies elsewhere, whatever levels are called.
    """
    kind = f"seed-{work.seed:04d}" if work.phase == "final" else f"search-{work.index:04d}"
    return f"{arm_folder(work.arm)}/{kind}"


def arm_folder(arm: str) -> str:
    """An arm's name as a folder's: `scan, ccr` is `scan,ccr`. What is replaced or cut off is told apart by a
    hash."""
    plain = arm.replace(", ", ",")
    if re.fullmatch(r"[A-Za-z0-9+=_-][A-Za-z0-9+=._,-]{0,119}", plain) and plain.casefold() != ARMS:
        return plain
    kept = re.sub(r"[^A-Za-z0-9+=_,-]+", "_", plain)[:100]
    return f"{kept}-{hashlib.sha256(arm.encode()).hexdigest()[:8]}"


class Curves:
    """A folder of TensorBoard files with values at steps. Replaces what lies there already."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._writer = EventFileWriter(str(folder), flush_secs=5)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Plot values at a step."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
        self._add(step, summary)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _add(self, step: int, summary: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


class Board(Curves):
    """The TensorBoard files of one run. HParams are written at once and completed by `complete`.

    A new board of a run replaces the one of an attempt that was broken off.
    """

    def __init__(self, root: Path, work: Work) -> None:
        from tensorboard.plugins.hparams import summary_v2 as hparams

        super().__init__(root / folder_of(work))
        started = hparams.hparams_pb(_hparams(work), trial_id=work.key, start_time_secs=time.time())
        self._add(0, started)
        self._writer.flush()

    def picture(self, step: int, name: str, image: NDArray[np.uint8]) -> None:
        """Show an image, (height, width, 3) uint8."""
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="PNG")
        height, width = image.shape[:2]
        encoded = Summary.Image(
            height=height, width=width, colorspace=3, encoded_image_string=buffer.getvalue()
        )
        self._add(step, Summary(value=[Summary.Value(tag=name, image=encoded)]))

    def complete(self, status: str, step: int, metrics: Mapping[str, float]) -> None:
        """Write the final metrics, complete the run's line in the HParams table, and close."""
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

        self.scalars(step, {f"result/{name}": value for name, value in metrics.items()})
        codes = {"finished": "STATUS_SUCCESS", "pruned": "STATUS_SUCCESS", "failed": "STATUS_FAILURE"}
        ended = plugin_data_pb2.SessionEndInfo(
            status=api_pb2.Status.Value(codes[status]), end_time_secs=time.time()
        )
        content = plugin_data_pb2.HParamsPluginData(version=0, session_end_info=ended)
        kind = SummaryMetadata(
            plugin_data=SummaryMetadata.PluginData(
                plugin_name=metadata.PLUGIN_NAME, content=content.SerializeToString()
            )
        )
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=kind, tensor=metadata.NULL_TENSOR)
        self._add(0, Summary(value=[value]))
        self.close()


def write_columns(root: Path, experiment: Experiment) -> None:
    """Tell TensorBoard the columns of the HParams table: arms, factors, searched values, and the metrics that
    matter. Replaces what an earlier call wrote."""
    from tensorboard.plugins.hparams import summary_v2 as hp
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    sweep = experiment.sweep
    for stale in root.glob("events.out.tfevents.*"):
        stale.unlink()
    columns = [hp.HParam("arm", hp.Discrete([arm.name for arm in experiment.arms]))]
    columns += [
        hp.HParam(f"factor/{name}", hp.Discrete(list(levels))) for name, levels in sweep.factors.items()
    ]
    columns += [
        hp.HParam("phase", hp.Discrete(["search", "final"])),
        hp.HParam("number", hp.RealInterval(0.0, 2e6)),
    ]
    for path, parameter in (sweep.search.space if sweep.search else {}).items():
        if parameter.kind != "choice":
            domain = hp.RealInterval(float(parameter.low), float(parameter.high))
        elif all(type(choice) in (int, float) for choice in parameter.choices):
            domain = hp.Discrete([float(choice) for choice in parameter.choices])
        elif len({type(choice) for choice in parameter.choices}) == 1:
            domain = hp.Discrete(list(parameter.choices))
        else:
            continue  # a column of TensorBoard's has values of one type; each run's own line still has it
        columns.append(hp.HParam(f"search/{path}", domain))
    shown = [f"result/{sweep.report.primary}"]
    if sweep.search is not None:
        shown += [f"result/{sweep.search.metric}", sweep.search.metric]
    metrics = [hp.Metric(name) for name in dict.fromkeys(shown)]
    writer = EventFileWriter(str(root), filename_suffix=".columns")
    from tensorboard.compat.proto.event_pb2 import Event

    writer.add_event(Event(wall_time=time.time(), summary=hp.hparams_config_pb(columns, metrics)))
    writer.close()


def _hparams(work: Work) -> dict[str, Any]:
    """The line of a run in the HParams table: arm, factors, seed, searched values."""
    line: dict[str, Any] = {"arm": work.arm}
    line.update({f"factor/{factor}": level for factor, level in work.levels.items()})
    line.update({"phase": work.phase, "number": float(work.number)})
    for path, value in work.values.items():
        known = isinstance(value, bool | int | float | str)
        line[f"search/{path}"] = value if known else str(value)
    return line
