"""The Ray cluster a sweep runs on: one of our own on this machine, or one that the user names."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from crosscut.engine.capacity import Capacity, Node
from crosscut.errors import InputError
from crosscut.sweepfile.sweep import Resources

ENVIRONMENT = {
    # Ray prints of its own accord, and counts its users.
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray Train hears of a report at its controller's next look, by default every two seconds.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",
    # Tune's own log files and snapshots cost more than small trials do; records are the memory.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # An interruption is ours to answer: Tune would wait for what runs, and go on as if all had ended.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "100000000",
    # How many runs may start is our own book's to say.
    "TUNE_MAX_PENDING_TRIALS_PG": "100000",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}

STARTS = 3
"""How often Ray is started on this machine before it is given up; once may fail for want of time or of a port."""


class ClusterLost(ConnectionError):  # noqa: N818 - what happened, not what is wrong with something
    """The Ray that a sweep runs on has died under it."""


class Cluster:
    """A cluster that is connected to.

    Args:
        capacity: its machines, and what is held on them.
        own: whether it was started for this sweep.
        start: connects to it, and starts it where it is our own.
    """

    def __init__(self, capacity: Capacity, own: bool, start: Callable[[], None]) -> None:
        self.capacity = capacity
        self.own = own
        self._start = start
        self._here = None if own else _here()
        # Ray starts a cluster by itself for whoever asks it something while there is none.
        self._asking = threading.Lock()

    def look(self) -> None:
        """Learn which machines the cluster has now.

        Raises:
            ClusterLost: what this process needs of it has died.
        """
        if self.own:
            # Ray itself would wait for ever.
            if _raylet_is_dead():
                raise ClusterLost("the raylet of this machine has died")
            return
        nodes = _nodes()
        if self._here is not None and self._here not in nodes:
            raise ClusterLost("the machine that this driver runs on has left the cluster")
        self.capacity.become(nodes)

    def revive(self) -> None:
        """Start a cluster of our own anew, in the place of one that has died."""
        import ray

        with self._asking:
            ray.shutdown()
            self._start()

    def usage(self) -> dict[str, float]:
        """Machines, and how much of the cluster is in use by whomever."""
        import ray

        with self._asking:
            total, free = ray.cluster_resources(), ray.available_resources()
            found = {"nodes": float(len(_nodes()))}
        for name, key in (("cpus", "CPU"), ("gpus", "GPU")):
            found[name] = total.get(key, 0.0)
            found[f"{name}_used"] = found[name] - free.get(key, 0.0)
        return found


@contextlib.contextmanager
def connected(needs: Mapping[str, Resources], address: str, log: Path) -> Iterator[Cluster]:
    """A connection to Ray, closed at the end together with the cluster if it is our own.

    Args:
        needs: arm → what one run of it needs.
        address: `local` for a cluster of our own on this machine, else what `ray.init` takes.
        log: file for what Ray has to say.

    Raises:
        InputError: one run needs more than the cluster has, or the address does not answer.
        ClusterLost: Ray does not start on this machine.
    """
    own = address == "local"
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if own:
        # Ray would otherwise write a token into the home folder for a cluster that nobody else can reach.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        node = this_machine()
        refuse_what_never_fits(needs, Capacity({"here": node}), "this machine")
    else:
        _refuse_silence(address)
    import ray

    if ray.is_initialized():
        raise InputError("--address: this process is connected to Ray already; ray.shutdown() ends that")

    def start() -> None:
        for left in reversed(range(STARTS if own else 1)):
            try:
                ray.init(
                    address=address,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    include_dashboard=False if own else None,
                    num_cpus=int(node.cpus) if own else None,
                    runtime_env={"env_vars": ENVIRONMENT},
                )
                break
            # Where a process of its own does not come up, Ray raises a bare one.
            except Exception as error:
                ray.shutdown()
                if not own:
                    raise InputError(f"--address: no Ray cluster answers at {address!r} ({error})") from error
                if not left:
                    raise ClusterLost(f"Ray does not start on this machine ({error})") from error
        here = ray._private.worker.global_worker.node
        logs = "its session folder" if here is None else here.get_logs_dir_path()
        logging.getLogger("ray").error("the driver's words; those of other processes lie in %s", logs)

    with _quiet(log), _raylet_in_the_log():
        start()
        try:
            cluster = Cluster(Capacity({"here": node} if own else _nodes()), own, start)
            if not own:
                refuse_what_never_fits(needs, cluster.capacity, "the cluster")
            with _terminated_like_interrupted():
                yield cluster
        finally:
            ray.shutdown()


def this_machine(*, gpus: bool = True) -> Node:
    """What this machine has; to look for its GPUs takes an import of Ray."""
    return Node(float(os.cpu_count() or 1), float(_gpus()) if gpus else 0.0)


def refuse_what_never_fits(needs: Mapping[str, Resources], capacity: Capacity, where: str) -> None:
    """Raise InputError where a run of some arm needs more than there is, however long it waited."""
    never = {arm: one for arm, one in needs.items() if capacity.most(one) < 1}
    if not never:
        return
    arm, one = next(iter(never.items()))
    asked = f"{one.workers} x {one.cpus_per_worker:g} CPUs"
    if one.gpus_per_worker:
        asked += f" and {one.workers} x {one.gpus_per_worker:g} GPUs"
    cpus = sum(node.cpus for node in capacity.nodes.values())
    gpus = sum(node.gpus for node in capacity.nodes.values())
    there = f"{cpus:g} CPUs and {gpus:g} GPUs"
    if len(capacity.nodes) > 1:
        there += f" on {len(capacity.nodes)} machines, and a worker is on one of them"
    whose = "one run" if len(never) == len(needs) else f"one run of the arm {arm!r}"
    raise InputError(f"resources: {whose} needs {asked}, but {where} has {there}")


def _nodes() -> dict[str, Node]:
    """The machines of the cluster that live, by name."""
    import ray

    return {
        node["NodeID"]: Node(node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
        for node in ray.nodes()
        if node["Alive"]
    }


def _here() -> str | None:
    """The machine of the cluster that this process is on, if it is on one."""
    import ray

    return None if ray.util.client.ray.is_connected() else ray.get_runtime_context().get_node_id()


def _raylet_is_dead() -> bool:
    """Whether the raylet that this process has started has died."""
    from ray._private import worker

    here = worker.global_worker.node
    return here is not None and any(kind == "raylet" for kind, _ in here.dead_processes())


def _refuse_silence(address: str) -> None:
    """Raise InputError where nothing listens at a `host:port`: Ray itself would try for a minute, aloud."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"--address: no Ray cluster answers at {address!r} ({error})") from error


def _gpus() -> int:
    """GPUs of this machine, as Ray will count them."""
    from ray._private.accelerators import get_all_accelerator_managers

    managers = {manager.get_resource_name(): manager for manager in get_all_accelerator_managers()}
    return int(managers["GPU"].get_current_node_num_accelerators()) if "GPU" in managers else 0


@contextlib.contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Take SIGTERM, which batch schedulers send, as an interruption. Ray's own handler prints its stack."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _raylet_in_the_log() -> Iterator[None]:
    """Send what raylets tell the driver to its log: whatever switches the log of workers off, they print it."""
    from ray._private import worker

    before = getattr(worker, "print_to_stdstream", None)
    if before is None:
        yield
        return

    def tell(data: Mapping[str, Any], *_: Any, **__: Any) -> None:
        for line in data.get("lines", ()):
            logging.getLogger("ray").error("%s", line)

    worker.print_to_stdstream = tell
    try:
        yield
    finally:
        worker.print_to_stdstream = before


@contextlib.contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """Send what Ray logs in this process to a file."""
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("ray", "ray.tune", "ray.train", "ray.data")]
    before = [(logger.handlers[:], logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
        handler.close()
