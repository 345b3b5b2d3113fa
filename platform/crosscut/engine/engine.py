"""The engine: carries a plan out on Ray, as one Tune experiment."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crosscut.engine.cluster import Cluster, ClusterLost
from crosscut.engine.site import Site
from crosscut.engine.worker import train_alone, train_together
from crosscut.plan import Plan
from crosscut.records.record import Attempt, Record
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.resources import Resources

if TYPE_CHECKING:
    from crosscut.engine.searcher import PlanSearcher

REVIVALS = 3
"""How often a cluster of our own is started anew before anything has come to an end on it."""


def carry_out(
    plan: Plan,
    store: Store,
    site: Site,
    cluster: Cluster,
    *,
    given: Callable[[Work], None],
    ended: Callable[[Record], None],
    again: Callable[[Work, Attempt], None],
    together: bool = True,
) -> None:
    """Do all that the plan asks for. Returns when nothing is left, whatever failed on the way.

    One-worker runs train in the trial's own actor, which takes run after run. With several workers the trial only
    waits for a worker group, which takes run after run as well. It must hold no CPU, or it would keep its own
    workers from starting, and Tune refuses a trial that holds nothing: it holds a little memory. No more runs
    start than have room for all their workers, since two half-started groups would wait for each other for ever.

    Where the Ray of our own dies, it is started anew, and what was running on it is tried again.

    Args:
        plan: what is to be done; it is kept up to date.
        store: where records go.
        site: what workers need to know.
        cluster: what Ray runs on.
        given, ended: told of every piece of work.
        again: told of a try that came to nothing and is followed by another.
        together: whether seeds of an arm may be trained together in one process.

    Raises:
        ClusterLost: a cluster of others has left this process alone, or one of our own dies again and again.
    """
    from crosscut.engine.groups import Groups
    from crosscut.engine.searcher import PlanSearcher

    revivals = 0

    def told(record: Record) -> None:
        nonlocal revivals
        revivals = 0
        ended(record)

    groups = Groups(cluster.capacity, site)
    searcher = PlanSearcher(plan, store, cluster, given, told, again, groups, together)
    while not plan.done:
        try:
            _experiment(searcher, store, site, cluster)
        except ClusterLost as lost:
            if not cluster.own or revivals == REVIVALS:
                raise
            revivals += 1
            cluster.revive()
            searcher.lost(str(lost))
    groups.close()


def _experiment(searcher: PlanSearcher, store: Store, site: Site, cluster: Cluster) -> None:
    """Let Tune do what the searcher gives out, until there is no more or the cluster is lost."""
    from ray import tune

    from crosscut.engine.order import AsGiven
    from crosscut.engine.searcher import Failures

    # Tune wants a folder for files of its own, which nobody reads: what counts is in the store.
    scratch = tempfile.mkdtemp(prefix="crosscut-tune-", dir=store.logs)
    try:
        tune.Tuner(
            tune.with_resources(_trial_function(site), _placement),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=AsGiven(),  # type: ignore[no-untyped-call]
                num_samples=-1,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                # Whether a run is tried again is the searcher's to say, who counts and waits.
                failure_config=tune.FailureConfig(max_failures=0),
                callbacks=[Failures(searcher)],
                verbose=0,
                # In a notebook Tune would take one that clears what the cell has printed.
                progress_reporter=tune.CLIReporter(),
            ),
        ).fit()
    except Exception:
        if searcher.error is not None:
            raise searcher.error from None
        # What Ray raises where it has died is no error of the sweep.
        cluster.look()
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _placement(config: dict[str, Any]) -> Any:
    """What Tune holds for a piece of work."""
    from ray import tune

    needs = Resources.model_validate(config["resources"])
    if needs.workers > 1:
        return tune.PlacementGroupFactory([{"memory": 2**20}])
    return tune.PlacementGroupFactory([{"CPU": needs.cpus_per_worker, "GPU": needs.gpus_per_worker}])


def _trial_function(site: Site) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs for every piece of work."""

    def trial(config: dict[str, Any]) -> None:
        from ray import tune

        works = [Work.from_json(plain) for plain in config["works"]]
        needs, host = Resources.model_validate(config["resources"]), config["host"]
        if host is not None:
            _train_in_group(works[0], needs, host)
        elif len(works) > 1:
            train_together(works, needs, site)
        else:
            train_alone(works[0], needs, site)
        # Tune wants a report of every trial. What came of the work, the searcher reads from its record.
        tune.report({"works": len(works)})

    return trial


def _train_in_group(work: Work, needs: Resources, host: str) -> None:
    """Have a worker group train work. What came of it is in the store."""
    import ray

    ray.get(ray.get_actor(host).train.remote(work.to_json(), needs.model_dump()))
