"""The resources of a sweep file: what each run gets, how long it may take, and how often it may fail."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from crosscut.errors import unexpected
from crosscut.sweepfile.section import Number, Section, Whole


def _whole_above_one(gpus: float) -> float:
    if gpus > 1 and gpus != int(gpus):
        raise ValueError(unexpected(gpus, "a share of one GPU or a whole number of them"))
    return gpus


class Resources(Section):
    """What each run and search trial gets. None of it changes what a record means, and the patch of a level may
    have a section of it: `large: {resources: {gpus_per_worker: 1}, …}`."""

    workers: Annotated[Whole, Field(ge=1)] = 1
    """Processes that train one run together. Above one they run under Ray Train, with torch.distributed."""
    cpus_per_worker: Annotated[Number, Field(gt=0)] = 1.0
    """CPU cores of each worker."""
    gpus_per_worker: Annotated[Number, Field(ge=0), AfterValidator(_whole_above_one)] = 0.0
    """GPUs of each worker; 0.5 puts two workers on one GPU."""
    retries: Annotated[Whole, Field(ge=0)] = 2
    """How often a run is begun again, from its last checkpoint, that was lost (a dead worker, a dead node), ran
    out of memory or stalled."""
    time_limit: Annotated[Number, Field(gt=0)] | None = None
    """Seconds that a run may take, all its tries together; it is then recorded as failed."""
    stall_limit: Annotated[Number, Field(gt=0)] | None = None
    """Seconds that may pass before a run's first report, and between two; it is then begun again."""
    keep_checkpoints: Literal["none", "best", "all"] = "best"
    """Which checkpoints of finished runs stay: that of each arm's best run, by its score on the dev split, or
    those of none or of all."""

    @property
    def sharable(self) -> bool:
        """Whether several runs may share a process: one worker on CPUs, and no limit, which is for one run."""
        limited = self.time_limit is not None or self.stall_limit is not None
        return self.workers == 1 and self.gpus_per_worker == 0 and not limited
