"""How much of the cores' time a sweep of short runs spends inside its runs, against bare Ray actors.

    python benchmarks/occupancy.py [--runs 100] [--seconds 1]

The sweep has two arms, half of the runs each as seeds, and a trainable that keeps a core busy for so many seconds
of wall time. It goes through `crosscut run --no-report`, in a process and a storage of its own. A second one has
searches as well: four arms, each a fifth of the runs as trials, one after the other, each chosen from those before
it (TPE), and its seeds after them.
The alternative is the least that Ray can do: one actor a core, in a cluster that is started the same way, each
given the next piece of the same work as soon as it ends one; no Tune, no records, nothing to resume from.

The share is the time inside runs over cores x (end of the last run - start of the first). Prints Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from command import Span, crosscut, records, span, timed
from machine import cores, machine

TARGET = 0.95
SWEEP = """
name: occupancy
trainable: busy:train
config: {{seconds: {seconds}, effect: 0.0}}
factors:
  effect:
    none: {{effect: 0.0}}
    some: {{effect: 1.0}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
seeds: {{count: {seeds}}}
report: {{primary: test/rsum}}
"""
SEARCHED = """
name: occupancy
trainable: busy:train
config: {{seconds: {seconds}, effect: 0.0}}
factors:
  effect: {{none: {{}}, some: {{effect: 1.0}}, more: {{effect: 2.0}}, most: {{effect: 3.0}}}}
design: {{kind: full-factorial, baseline: {{effect: none}}}}
search: {{metric: dev/rsum, trials: {trials}, space: {{slope: {{uniform: [0, 1]}}}}}}
seeds: {{count: {seeds}}}
report: {{primary: test/rsum}}
"""


class Worker:
    """What the alternative runs in an actor."""

    def work(self, seconds: float) -> tuple[float, float]:
        """Do one piece of work; when it began and how long it took."""
        started, begun = time.time(), time.perf_counter()
        importlib.import_module("busy").work(seconds)
        return started, time.perf_counter() - begun


def with_crosscut(folder: Path, runs: int, seconds: float) -> tuple[Span, float]:
    """The span of the sweep's runs, and the wall seconds of the whole command."""
    return _sweep(folder, SWEEP.format(seconds=seconds, seeds=runs // 2), runs)


def with_searches(folder: Path, runs: int, seconds: float) -> tuple[Span, float]:
    """The same of the sweep with searches."""
    trials = max(1, runs // 5)
    seeds = max(1, (runs - 4 * trials) // 4)
    return _sweep(folder, SEARCHED.format(seconds=seconds, trials=trials, seeds=seeds), 4 * (trials + seeds))


def _sweep(folder: Path, text: str, runs: int) -> tuple[Span, float]:
    (folder / "occupancy.yaml").write_text(text)
    storage = folder / "results"
    command = [*crosscut(), "run", "occupancy.yaml", "--storage", str(storage), "--no-report"]
    wall = timed(command, folder)
    found = records(storage / "occupancy")
    assert len(found) == runs
    return span(found), wall


def with_actors(folder: Path, runs: int, seconds: float) -> tuple[Span, float]:
    """The same for actors that are handed the work directly."""
    import ray

    from crosscut.engine.cluster import connected
    from crosscut.sweepfile.resources import Resources

    begun = time.perf_counter()
    done: list[tuple[float, float]] = []
    with connected({"one run": Resources()}, "local", folder / "ray.log") as cluster:
        actor: Any = ray.remote(num_cpus=1)(Worker)  # Ray's types do not know the methods' `remote`
        pending = {worker.work.remote(seconds): worker for worker in [actor.remote() for _ in range(cores())]}
        given = len(pending)
        assert cluster.capacity.most(Resources()) == given <= runs
        while pending:
            ready, _ = ray.wait(list(pending), num_returns=1)
            worker = pending.pop(ready[0])
            if given < runs:
                pending[worker.work.remote(seconds)] = worker
                given += 1
            done.append(ray.get(ready[0]))
    first, last = min(start for start, _ in done), max(start + took for start, took in done)
    return Span(sum(took for _, took in done), last - first), time.perf_counter() - begun


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Share of the cores' time inside runs.")
    parser.add_argument("--runs", type=int, default=100, help="runs, an even number (default: 100)")
    parser.add_argument("--seconds", type=float, default=1.0, help="wall seconds of each (default: 1)")
    asked = parser.parse_args()
    if asked.runs < cores() or asked.runs % 2:
        parser.error(f"--runs: found {asked.runs}, expected an even number, at least one a core")
    if asked.seconds <= 0:
        parser.error(f"--seconds: found {asked.seconds}, expected a positive number")

    print(machine("ray") + "\n")
    head = ["share inside runs", "share of the work asked for", "first start to last end, s", "all, s"]
    print(f"| {asked.runs} runs of {asked.seconds:g} s, {cores()} at once | {' | '.join(head)} |")
    print("|---|---:|---:|---:|---:|")
    shares = []
    ways = {
        "`crosscut run`": with_crosscut,
        "`crosscut run` with searches": with_searches,
        "Ray actors alone": with_actors,
    }
    for name, how in ways.items():
        with tempfile.TemporaryDirectory(prefix="crosscut-occupancy-") as temporary:
            folder = Path(temporary)
            shutil.copy(Path(__file__).with_name("busy.py"), folder)
            taken, wall = how(folder, asked.runs, asked.seconds)
        shares.append(taken.share(cores()))
        asked_for = asked.runs * asked.seconds / (cores() * taken.wall)
        print(f"| {name} | {shares[-1]:.1%} | {asked_for:.1%} | {taken.wall:.1f} | {wall:.1f} |")
    told = " and ".join(f"{share / shares[-1]:.3f}" for share in shares[:-1])
    print(f"\nRatio of the shares inside runs to those of actors alone: {told}.")
    print(f"Target: `crosscut run` at least {TARGET:.0%}.")


if __name__ == "__main__":
    main()
