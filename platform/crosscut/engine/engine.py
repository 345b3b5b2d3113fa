"""The engine: carries a plan out on Ray, as one Tune experiment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from typing import Any

from crosscut.engine.cluster import Cluster
from crosscut.engine.worker import Site, train_alone
from crosscut.plan import Plan
from crosscut.records.record import Record
from crosscut.records.store import Store
from crosscut.records.work import Work


def carry_out(
    plan: Plan,
    store: Store,
    site: Site,
    cluster: Cluster,
    *,
    given: Callable[[Work], None],
    ended: Callable[[Record], None],
) -> None:
    """Do all that the plan asks for. Returns when nothing is left, whatever failed on the way.

    One-worker runs train in the trial's own actor, which takes run after run. With several workers the trial
    only starts a worker group and waits for it. It must hold no CPU, or it would keep its own workers from
    starting, and Tune refuses a trial that holds nothing: it holds a little memory. No more such trials start
    than have room for all their workers, since two half-started groups would wait for each other for ever.

    Args:
        plan: what is to be done; it is kept up to date.
        store: where records go.
        site: what workers need to know.
        cluster: what Ray runs on.
        given, ended: told of every piece of work.
    """
    from ray import tune

    from crosscut.engine.searcher import PlanSearcher

    if plan.done:
        return
    resources = plan.experiment.sweep.resources
    needs = tune.PlacementGroupFactory(
        [{"memory": 2**20}]
        if site.workers > 1
        else [{"CPU": resources.cpus_per_worker, "GPU": resources.gpus_per_worker}]
    )
    fits = cluster.fits(resources)
    # Tune wants a folder for files of its own, which nobody reads: what counts is in the store.
    scratch = tempfile.mkdtemp(prefix="crosscut-tune-", dir=store.logs)
    try:
        tune.Tuner(
            tune.with_resources(_trial_function(site), needs),
            tune_config=tune.TuneConfig(
                search_alg=PlanSearcher(plan, store, given, ended),
                num_samples=-1,
                reuse_actors=True,
                max_concurrent_trials=fits,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                failure_config=tune.FailureConfig(max_failures=site.max_failures if site.workers == 1 else 0),
                verbose=0,
            ),
        ).fit()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _trial_function(site: Site) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs for every piece of work."""

    def trial(config: dict[str, Any]) -> None:
        from ray import tune

        work = Work.from_json(config["work"])
        if site.workers > 1:
            from crosscut.engine.train_group import train_together

            record = train_together(work, site)
        else:
            record = train_alone(work, site)
        tune.report({"status": "lost" if record is None else record.status})

    return trial
