"""The Ray cluster a sweep runs on: one of our own on this machine, or one that the user names."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@dataclass(frozen=True)
class Cluster:
    """A cluster that is connected to."""

    cpus: float
    gpus: float
    own: bool
    """Whether it was started for this sweep."""

    def fits(self, resources: Resources) -> int:
        """How many runs fit at once."""
        counts = [self.cpus / (resources.workers * resources.cpus_per_worker)]
        if resources.gpus_per_worker:
            counts.append(self.gpus / (resources.workers * resources.gpus_per_worker))
        return int(min(counts) + 1e-9)


@contextlib.contextmanager
def connected(resources: Resources, address: str, log: Path) -> Iterator[Cluster]:
    """A connection to Ray, closed at the end together with the cluster if it is our own.

    Args:
        resources: what one run needs.
        address: `local` for a cluster of our own on this machine, else what `ray.init` takes.
        log: file for what Ray has to say.

    Raises:
        InputError: one run needs more than the cluster has, or the address does not answer.
    """
    own = address == "local"
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if own:
        # Ray would otherwise write a token into the home folder for a cluster that nobody else can reach.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        cpus, gpus = os.cpu_count() or 1, _gpus()
        cluster = Cluster(float(cpus), float(gpus), own)
        _refuse_what_never_fits(cluster, resources)
    else:
        _refuse_silence(address)
    import ray

    with _quiet(log):
        try:
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=False if own else None,
                num_cpus=int(cluster.cpus) if own else None,
                runtime_env={"env_vars": ENVIRONMENT},
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(f"--address: no Ray cluster answers at {address!r} ({error})") from error
        try:
            if not own:
                total = ray.cluster_resources()
                cluster = Cluster(total.get("CPU", 0.0), total.get("GPU", 0.0), own)
                _refuse_what_never_fits(cluster, resources)
            node = ray._private.worker.global_worker.node
            logs = "its session folder" if node is None else node.get_logs_dir_path()
            logging.getLogger("ray").error("the driver's words; those of other processes lie in %s", logs)
            with _terminated_like_interrupted():
                yield cluster
        finally:
            ray.shutdown()


def _refuse_what_never_fits(cluster: Cluster, resources: Resources) -> None:
    if cluster.fits(resources) >= 1:
        return
    needs = f"{resources.workers} x {resources.cpus_per_worker:g} CPUs"
    if resources.gpus_per_worker:
        needs += f" and {resources.workers} x {resources.gpus_per_worker:g} GPUs"
    where = "this machine" if cluster.own else "the cluster"
    raise InputError(
        f"resources: one run needs {needs}, but {where} has {cluster.cpus:g} CPUs and {cluster.gpus:g} GPUs"
    )


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
