"""The resources of a sweep file: what each run gets, and how often it may fail."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosscut.sweepfile.section import Number, Section, Whole


class Resources(Section):
    """What each run and search trial gets. None of it changes what a record means."""

    workers: Annotated[Whole, Field(ge=1)] = 1
    """Processes that train one run together. Above one they run under Ray Train, with torch.distributed."""
    cpus_per_worker: Annotated[Number, Field(gt=0)] = 1.0
    """CPU cores of each worker."""
    gpus_per_worker: Annotated[Number, Field(ge=0)] = 0.0
    """GPUs of each worker; 0.5 puts two workers on one GPU."""
    retries: Annotated[Whole, Field(ge=0)] = 2
    """How often a run that was lost (a dead worker, a dead node) is begun again, from its last checkpoint."""
