"""Runs of two workers: what starting their group costs, how a step scales, and what they send each other.

    python benchmarks/workers.py [--runs 8] [--steps 8]

*Start*: a sweep of runs that do nothing, with two workers each, which share one worker group; against Ray Train
alone, a group for every run, in a cluster that is started the same way. *Scaling*: seconds of a training step with
one process, and with two of one thread each that share the batch, on one machine (gloo); at most 2, the number of
processes. *Sent*: bytes that a worker receives in a step, counted in every collective, against the formula of
docs/training.md. *Nodes*: the same two-worker run as a sweep, its workers on one machine and on two simulated
ones. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from command import crosscut, records, timed
from machine import machine

INSTANT = """
from crosscut_trainables import Evaluation


def train(config, session):
    return Evaluation({"test/rsum": config["effect"] + session.seed})
"""
SWEEP: dict[str, Any] = {
    "name": "workers",
    "trainable": "instant:train",
    "config": {"effect": 0.0},
    "factors": {"effect": {"none": {"effect": 0.0}, "some": {"effect": 1.0}}},
    "design": {"kind": "full-factorial", "baseline": {"effect": "none"}},
    "resources": {"workers": 2, "cpus_per_worker": 1},
    "report": {"primary": "test/rsum"},
}
SIZES: dict[str, dict[str, Any]] = {
    "quickstart": {},
    "D 256, digit scenes": {"encoder": {"width": 256, "word_width": 300}},
    "D 1024, digit scenes": {"encoder": {"width": 1024, "word_width": 300}},
}


def seconds_of_sweep(folder: Path, runs: int) -> float:
    """Seconds from the end of a run that does nothing to that of the next, in a sweep of so many."""
    folder.mkdir()
    (folder / "instant.py").write_text(INSTANT)
    (folder / "workers.yaml").write_text(json.dumps({**SWEEP, "seeds": {"count": runs // 2}}))
    timed([*crosscut(), "run", "workers.yaml", "--storage", "results", "--no-report"], folder)
    ends = [record.ended for record in records(folder / "results" / "workers")]
    assert len(ends) == runs
    return (max(ends) - min(ends)) / (runs - 1)


def seconds_of_ray_train(folder: Path) -> float:
    """Wall seconds of one run that does nothing under Ray Train alone, the third of three."""
    from ray.train import RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    from crosscut.engine.cluster import connected
    from crosscut.sweepfile.resources import Resources

    taken = []
    with connected({"a run": Resources(workers=2)}, "local", folder / "ray.log"):
        for number in range(3):
            begun = time.perf_counter()
            TorchTrainer(
                lambda: None,
                scaling_config=ScalingConfig(num_workers=2, resources_per_worker={"CPU": 1}),
                run_config=RunConfig(name=str(number), storage_path=str(folder / "train")),
            ).fit()
            taken.append(time.perf_counter() - begun)
    return taken[-1]


def member(rank: int, size: int, meeting: str, steps: int, plain: str) -> None:
    """One process of a run: prints seconds of a step, waiting among them, and bytes received in one."""
    from crosscut_trainables.collectives import TRAFFIC
    from crosscut_trainables.config import RetrievalConfig
    from crosscut_trainables.loop import Training
    from crosscut_trainables.session import MemorySession
    from crosscut_trainables.step import Stride, step_together

    torch.set_num_threads(1)
    if size > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{meeting}", rank=rank, world_size=size
        )
    training = Training(
        RetrievalConfig.model_validate(json.loads(plain)),
        MemorySession(seed=1, rank=rank, world_size=size, phase="search"),
    )
    assert training.step is not None
    training.model.train()
    taken, waited, received = [], [], []
    for number, batch in enumerate(training.batches.epoch(1)):
        before, begun = (TRAFFIC.seconds, TRAFFIC.received), time.perf_counter()
        step_together([Stride(training.step, batch, 0.001, number, {})])
        taken.append(time.perf_counter() - begun)
        waited.append(TRAFFIC.seconds - before[0])
        received.append(TRAFFIC.received - before[1])
        if number == steps + 1:
            break
    regions = training.batches.split.regions.shape[1]
    learnt = sum(p.numel() for p in training.model.learnt.values())
    if rank == 0:
        words = batch.sizes
        print(
            json.dumps(
                {
                    "seconds": median(taken[2:]),
                    "waiting": median(waited[2:]),
                    "received": median(received[2:]),
                    "regions": regions,
                    "width": training.towers.width,
                    "learnt": learnt,
                    "batch": sum(words),
                }
            )
        )
    if size > 1:
        torch.distributed.destroy_process_group()


def together(size: int, steps: int, config: dict[str, Any]) -> dict[str, float]:
    """What rank 0 of so many processes says."""
    with tempfile.TemporaryDirectory(prefix="crosscut-workers-") as folder:
        command = [sys.executable, __file__, "--steps", str(steps), "--member", json.dumps(config)]
        processes = [
            subprocess.Popen(
                [*command, str(rank), str(size), f"{folder}/meeting"],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            for rank in range(size)
        ]
        told = [process.communicate()[0] for process in processes]
        assert all(process.returncode == 0 for process in processes)
    found: dict[str, float] = json.loads(told[0].splitlines()[-1])
    return found


def on_nodes(folder: Path, nodes: int) -> tuple[float, int]:
    """Median seconds of a run on so many machines of one core each, or one of two cores; and of how many runs."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 2 if nodes == 1 else 1, "include_dashboard": False}
    )
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1)
        sweep = {
            "name": "nodes",
            "config": {"training": {"epochs": 2}},
            "factors": {"backbone": {"scan": {}, "vse": {"backbone": {"name": "vse++"}}}},
            "design": {"kind": "full-factorial", "baseline": {"backbone": "scan"}},
            "resources": {"workers": 2, "cpus_per_worker": 1},
            "seeds": {"count": 3},
            "report": {"primary": "test/rsum"},
        }
        folder.mkdir()
        (folder / "nodes.yaml").write_text(json.dumps(sweep))
        command = [*crosscut(), "run", "nodes.yaml", "--storage", "results", "--no-report"]
        timed([*command, "--address", cluster.address], folder)
        found = records(folder / "results" / "nodes")
        taken = [record.seconds for record in found if "scan" in record.work.arm]
        return median(taken), len(taken)
    finally:
        cluster.shutdown()


def main() -> None:
    """Prints the tables."""
    if "--member" in sys.argv:
        plain, rank, size, meeting = sys.argv[sys.argv.index("--member") + 1 :]
        member(int(rank), int(size), meeting, int(sys.argv[sys.argv.index("--steps") + 1]), plain)
        return
    parser = argparse.ArgumentParser(description="Runs of two workers.")
    parser.add_argument("--runs", type=int, default=8, help="runs of the sweep (default: 8)")
    parser.add_argument("--steps", type=int, default=8, help="counted steps (default: 8)")
    asked = parser.parse_args()
    for name in ("runs", "steps"):
        if getattr(asked, name) < 2 or getattr(asked, name) % 2:
            parser.error(f"--{name}: found {getattr(asked, name)}, expected an even number from 2")
    print(machine("torch", "ray") + "\n")
    with tempfile.TemporaryDirectory(prefix="crosscut-workers-") as place:
        folder = Path(place)
        own, alone = seconds_of_sweep(folder / "sweep", asked.runs), seconds_of_ray_train(folder)
        print("| a further run of two workers that does nothing | seconds |\n|---|---:|")
        print(f"| of a sweep | {own:.2f} |\n| Ray Train alone | {alone:.2f} |")
        print(f"\nRatio: {alone / own:.0f}.\n")
        head = ["1 process, ms", "2 processes, ms", "times as fast", "of that waiting, ms"]
        head += ["received in a step, MiB", "by the formula"]
        print(f"| step | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
        for size, config in SIZES.items():
            one, two = (together(count, asked.steps, config) for count in (1, 2))
            vectors = two["batch"] * (two["regions"] + 1) * two["width"]
            expected = 4 * (vectors / 2 + vectors + 1.5 * two["batch"] ** 2 + two["learnt"])
            figures = [f"{1e3 * one['seconds']:.1f}", f"{1e3 * two['seconds']:.1f}"]
            figures += [f"{one['seconds'] / two['seconds']:.2f}", f"{1e3 * two['waiting']:.1f}"]
            figures += [f"{two['received'] / 2**20:.2f}", f"{expected / 2**20:.2f}"]
            print(f"| {size} | {' | '.join(figures)} |", flush=True)
        print("\n| a run of two workers | median seconds | of runs |\n|---|---:|---:|")
        for nodes, where in ((1, "on one machine"), (2, "on two simulated machines")):
            seconds, runs = on_nodes(folder / f"nodes-{nodes}", nodes)
            print(f"| {where} | {seconds:.2f} | {runs} |", flush=True)


if __name__ == "__main__":
    main()
