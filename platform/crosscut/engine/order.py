"""The order in which Tune starts what it was given: as given, and each piece of work in the place it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ray.tune.schedulers import FIFOScheduler

if TYPE_CHECKING:
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial


class AsGiven(FIFOScheduler):
    """Names no trial to go first.

    Tune's own scheduler names the oldest that waits, and an actor that has come free is then handed to it, though
    a new one is just starting for it and is thrown away. Where a run is shorter than the start of an actor, no
    machine that joins, and none whose actor died, would ever get an actor. With none named, Tune goes through what
    waits in order and hands the free actor to the first for which none is starting.
    """

    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        return None
