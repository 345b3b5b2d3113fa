"""A trace of what a run does, by torch's profiler."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crosscut.records.local_place import whole

SUFFIX = ".pt.trace.json.gz"
"""By which TensorBoard's profiler plugin knows a trace; Perfetto opens any."""


@contextmanager
def tracing(path: Path, device: str) -> Iterator[None]:
    """Trace what is done inside into `path`: operators with their shapes, of the CPU and of the GPU where that is
    the device.

    Raises:
        OSError: the trace cannot be written.
    """
    from torch.profiler import ProfilerActivity, profile

    activities = [ProfilerActivity.CPU]
    if device.startswith("cuda"):
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, record_shapes=True) as profiler:
        yield
    with tempfile.TemporaryDirectory(prefix="crosscut-trace-") as folder:
        plain = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(plain))
        content = json.loads(plain.read_bytes())
    # Where it was written for a moment says nothing.
    content.pop("traceName", None)
    with whole(path) as temporary:
        temporary.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
