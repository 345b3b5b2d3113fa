"""Sweeps over several machines: real raylets, as many as a test wants, on this one."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crosscut.records.record import Record
from crosscut.records.store import Store

pytestmark = pytest.mark.slow

SWEEP = """
name: toy
trainable: toy:train
config: {{effect: 0.0, x: 0.5, seconds: 1.5, misbehave: nothing, checkpoint: true, log: {log}}}
factors:
  effect:
    none: {{effect: 0.0}}
    some: {{effect: 3.0}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
seeds: {{count: {seeds}}}
report: {{primary: test/rsum}}
"""


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of raylets with a head that has no cores of its own."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def call(address: str, *settings: str, seeds: int = 2, storage: str = "results") -> subprocess.Popen[str]:
        shutil.copy(Path(__file__).with_name("toy.py"), tmp_path / "toy.py")
        (tmp_path / "toy.yaml").write_text(SWEEP.format(log=tmp_path / "log.txt", seeds=seeds))
        patches = [part for setting in settings for part in ("--set", setting)]
        command = [sys.executable, "-m", "crosscut", "run", "toy.yaml", "--address", address]
        started.append(
            subprocess.Popen(
                [*command, "--storage", str(tmp_path / storage), *patches],
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "COLUMNS": "200"},
            )
        )
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()


def records(folder: Path) -> dict[tuple[str, int], Record]:
    store = Store(folder / "toy")
    found = [store.read(key) for key in store.recorded()]
    return {(record.work.arm, record.work.seed): record for record in found if record is not None}


def outcomes(found: dict[tuple[str, int], Record]) -> dict[tuple[str, int], object]:
    return {
        name: (record.metrics, record.history, record.ranks["test/t2i"].ranks.tolist())
        for name, record in sorted(found.items())
    }


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.05)


def test_workers_span_machines_and_one_that_dies_changes_no_result(
    nodes: Any, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    calm = start("local", "config.seconds=0.1", seeds=1, storage="calm")
    output, _ = calm.communicate(timeout=200)
    assert calm.returncode == 0, output
    assert len(records(tmp_path / "calm")) == 2
    # No machine has room for both workers of a run.
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    spare = nodes.add_node(num_cpus=1)
    process = start(nodes.address, "resources.workers=2", "config.seconds=4", seeds=1)
    store = Store(tmp_path / "results" / "toy")
    until(lambda: any(store.folder.glob("checkpoints/*/checkpoint.pt")), process)
    # Whichever two of the three machines it is on, one of those that stay has had a worker.
    victim = next(node for node in nodes.worker_nodes if node is not spare)
    nodes.remove_node(victim, allow_graceful=False)
    nodes.add_node(num_cpus=1)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert outcomes(records(tmp_path / "results")) == outcomes(records(tmp_path / "calm"))


def test_a_machine_that_joins_is_used(
    nodes: Any, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    nodes.add_node(num_cpus=1)
    process = start(nodes.address, seeds=60)
    folder = tmp_path / "results"

    def together() -> bool:
        runs = sorted(records(folder).values(), key=lambda record: record.started)
        return any(other.started < one.ended - 0.2 for one, other in itertools.pairwise(runs))

    until(lambda: len(records(folder)) >= 2, process)
    assert not together()
    nodes.add_node(num_cpus=1)
    until(together, process)
    assert not any(record.attempts for record in records(folder).values())
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130


def test_what_fits_no_machine_is_refused_though_the_cluster_has_enough(
    nodes: Any, start: Callable[..., subprocess.Popen[str]]
) -> None:
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    process = start(nodes.address, "resources.cpus_per_worker=2")
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 2
    assert (
        "resources: one run needs 1 x 2 CPUs, but the cluster has 2 CPUs and 0 GPUs on 3 machines" in output
    )
