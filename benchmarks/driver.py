"""What the driver of a sweep spends on a run, with runs that do nothing, against Ray Tune by itself.

    python benchmarks/driver.py [--runs 2000]

`crosscut run --no-report` of a sweep of twenty arms whose runs return at once; every one is a record, a line of
the log, a point of its arm's curves. The alternative is a Tune experiment of as many trials that return at once,
with its actors reused and its own loggers off, and nothing kept.

Wall time is from the start of the first run to the end of the last, without start-up; of Tune, all of `fit()`.
CPU time is that of the driver's own process, its start included. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from command import crosscut, records, span
from machine import machine

TARGET = 50.0
ARMS = 20

TRAINABLE = """
from crosscut_trainables import Evaluation

def train(config, session):
    return Evaluation({"test/rsum": config["effect"] + session.seed})
"""

TUNE = """
import os, sys, time
from crosscut.engine.cluster import ENVIRONMENT
os.environ.update(ENVIRONMENT, RAY_AUTH_MODE="disabled")
import ray
from ray import tune

ray.init(address="local", log_to_driver=False, logging_level="ERROR", include_dashboard=False)

def trial(config):
    tune.report({"score": config["x"]})

begun = time.perf_counter()
tune.Tuner(
    tune.with_resources(trial, {"CPU": 1}),
    param_space={"x": tune.uniform(0, 1)},
    tune_config=tune.TuneConfig(num_samples=int(sys.argv[1]), reuse_actors=True),
    run_config=tune.RunConfig(name="bare", storage_path=sys.argv[2], verbose=0),
).fit()
print("wall", time.perf_counter() - begun)
"""


def sweep(runs: int) -> str:
    """A sweep file of so many runs."""
    levels = "\n".join(f"    arm-{index:02d}: {{effect: {float(index)}}}" for index in range(ARMS))
    return f"""
name: instant
trainable: instant:train
config: {{effect: 0.0}}
factors:
  effect:
{levels}
design: {{kind: full-factorial, baseline: {{effect: arm-00}}}}
seeds: {{count: {runs // ARMS}}}
report: {{primary: test/rsum}}
"""


def watched(command: list[str], folder: Path) -> tuple[str, float]:
    """What a command prints, and the CPU seconds of its own process, children left out."""
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    spent, output = 0.0, folder / "output.txt"
    # It writes to a pipe that is read at the end by `communicate`; the log of 2,000 runs would fill it.
    with output.open("w") as file:
        reader = subprocess.Popen(["cat"], stdin=process.stdout, stdout=file)
        while process.poll() is None:
            try:
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                spent = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            except (OSError, IndexError):
                pass
            time.sleep(0.2)
        reader.wait()
    if process.returncode != 0:
        sys.exit(output.read_text()[-4000:])
    return output.read_text(), spent


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="What the driver spends on a run.")
    parser.add_argument("--runs", type=int, default=2000, help=f"runs, a multiple of {ARMS} (default: 2000)")
    runs = parser.parse_args().runs
    if runs < ARMS or runs % ARMS:
        parser.error(f"--runs: found {runs}, expected a multiple of {ARMS}")
    with tempfile.TemporaryDirectory(prefix="crosscut-driver-") as temporary:
        folder = Path(temporary)
        (folder / "instant.py").write_text(TRAINABLE)
        (folder / "instant.yaml").write_text(sweep(runs))
        _, ours = watched([*crosscut(), "run", "instant.yaml", "--no-report"], folder)
        found = records(folder / "results" / "instant")
        assert len(found) == runs
        wall = span(found).wall
        printed, theirs = watched([sys.executable, "-c", TUNE, str(runs), str(folder / "tune")], folder)
        bare = float(next(line for line in printed.splitlines() if line.startswith("wall")).split()[1])
    print(machine("ray") + "\n")
    print(f"| {runs:,} runs that return at once | wall, ms a run | CPU of the driver, ms a run |")
    print("|---|---:|---:|")
    print(f"| `crosscut run` | {1000 * wall / runs:.1f} | {1000 * ours / runs:.1f} |")
    print(f"| Ray Tune alone | {1000 * bare / runs:.1f} | {1000 * theirs / runs:.1f} |")
    print(f"\nRatio of the wall times: {wall / bare:.2f}. Target: under {TARGET:g} ms a run.")


if __name__ == "__main__":
    main()
