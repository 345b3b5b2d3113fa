"""Peak memory of a run on region features that are mapped from their file, against reading them whole.

    python benchmarks/memory.py [--images 30000] [--width 256] [--folder DIR]

Writes features of 36 regions by 2,048 numbers and a caption an image, trains one epoch on them in a process of its
own and evaluates it; another process reads the same file whole and does nothing else. Memory is what is the
process's own, the page cache left out: `RssAnon` and `RssShmem` of `/proc/self/status`, looked at every 50 ms.
Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from machine import machine

REGIONS, FEATURES = 36, 2048
EVALUATED = 1000
TARGET_GIB = 3.0
WATCH = """
import json, sys, threading, time
peak = 0.0
def look():
    global peak
    while True:
        lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
        peak = max(peak, sum(float(lines[name].split()[0]) for name in ("RssAnon", "RssShmem")) / 2**20)
        time.sleep(0.05)
threading.Thread(target=look, daemon=True).start()
"""
MAPPED = """
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession
evaluation = train(json.loads(sys.argv[1]), MemorySession())
print(json.dumps({"peak": peak, "rsum": evaluation.metrics["test/rsum"]}))
"""
WHOLE = """
import numpy as np
found = np.load(sys.argv[1])
time.sleep(0.2)
print(json.dumps({"peak": peak, "rsum": float(found.shape[0])}))
"""


def write(folder: Path, images: int) -> None:
    """Features and captions of all splits."""
    random = np.random.default_rng(0)
    block = random.normal(size=(500, REGIONS, FEATURES)).astype(np.float32)
    words = ("dog", "man", "red", "street", "runs", "blue", "ball", "two", "tree", "water", "young", "holds")
    for split, count in (("train", images), ("dev", EVALUATED), ("test", EVALUATED)):
        shape = (count, REGIONS, FEATURES)
        array = np.lib.format.open_memmap(folder / f"{split}_ims.npy", "w+", np.float32, shape)
        for start in range(0, count, len(block)):
            array[start : start + len(block)] = block[: count - start]
        array.flush()
        lines = (" ".join(random.choice(words, 11)) for _ in range(count))
        (folder / f"{split}_caps.txt").write_text("\n".join(lines) + "\n")


def peak(program: str, argument: str) -> float:
    """GiB that a process of its own has at most."""
    command = [sys.executable, "-c", WATCH + program, argument]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["peak"])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Peak memory of a run on mapped features.")
    parser.add_argument("--images", type=int, default=30_000, help="of the train split (default: 30000)")
    parser.add_argument("--width", type=int, default=256, help="of the joint space (default: 256)")
    parser.add_argument("--folder", help="where the features go for the time (default: a temporary folder)")
    asked = parser.parse_args()
    if asked.images < 1:
        parser.error(f"--images: found {asked.images}, expected a positive number")

    print(machine("torch", "numpy") + "\n")
    folder = Path(tempfile.mkdtemp(prefix="crosscut-memory-", dir=asked.folder))
    try:
        write(folder, asked.images)
        size = (folder / "train_ims.npy").stat().st_size / 2**30
        config = {
            "data": {"name": "precomputed", "folder": str(folder), "tokenizer": "letters"},
            "encoder": {"width": asked.width, "word_width": 300},
            "backbone": {"name": "scan"},
            "training": {"epochs": 1, "batch_size": 128},
        }
        own, other = peak(MAPPED, json.dumps(config)), peak(WHOLE, str(folder / "train_ims.npy"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{asked.images:,} × {REGIONS} × {FEATURES:,} float32, {size:.2f} GiB; SCAN, width {asked.width}, "
        "batch 128.\n"
    )
    print("| process | peak of its own memory, GiB |")
    print("|---|---:|")
    print(f"| one epoch, and evaluation on {EVALUATED:,} images, features mapped | {own:.2f} |")
    print(f"| reading the training features whole, and nothing else | {other:.2f} |")
    print(f"\nRatio: {own / other:.2f}. Target: the run stays below {TARGET_GIB:g} GiB.")


if __name__ == "__main__":
    main()
