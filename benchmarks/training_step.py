"""A whole step of training at the size that papers report, against its bare products and the loop form.

    python benchmarks/training_step.py [--batch 128] [--large 512] [--steps 5] [--threads 2]

SCAN t2i, 36 regions of 2,048 numbers, D 1,024, captions of 2 marks and a Poisson number of mean 10 words, triplet
loss with the hardest negatives. A step goes from a batch to changed weights. *Products* are the matrix products of
the same step alone, forward and backward: of the image projection, of the recurrent network of the texts, time
step by time step, and of regions with words. *Loop* is the same step with attention as the definition reads, one
caption at a time (`attention.py`). Every row is a process of its own, whose peak of memory counts data and imports
too; medians of the steps after the first two. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from attention import direct
from machine import machine
from positive import positive

from crosscut_trainables.backbones import by_length, relevance
from crosscut_trainables.backbones.scan import Scan
from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.fragments import Fragments
from crosscut_trainables.loop import Training
from crosscut_trainables.match import Match
from crosscut_trainables.session import MemorySession
from crosscut_trainables.step import Stride, step_together

REGIONS, FEATURES, WIDTH, WORD_WIDTH = 36, 2048, 1024, 300
WORDS = 8000
EACH = 5
"""Captions of an image."""
BOTH: dict[str, Any] = {"ccr": {}, "ccs": {}}
ROWS: dict[str, dict[str, Any]] = {
    "SCAN t2i": {},
    "as a loop over captions": {"form": "loop"},
    "with CCR": {"constraints": {"ccr": {}}},
    "with CCS": {"constraints": {"ccs": {}}},
    "with CCR and CCS": {"constraints": BOTH},
    "encoders in bf16": {"precision": "bf16"},
    "captions padded to the longest": {"form": "padded"},
    "cosines computed again": {"form": "again"},
}


def write(folder: Path, images: int) -> None:
    """Random features and captions of all splits."""
    random = np.random.default_rng(0)
    for split, count in (("train", images), ("dev", 8), ("test", 8)):
        np.save(
            folder / f"{split}_ims.npy", random.normal(size=(count, REGIONS, FEATURES)).astype(np.float32)
        )
        letters = np.array(list("abcdefghijklmnopqrst"))
        lines = []
        for _ in range(count * EACH):
            numbers = random.integers(0, WORDS, max(1, random.poisson(10)))
            lines.append(" ".join("".join(letters[number // 20 ** np.arange(4) % 20]) for number in numbers))
        (folder / f"{split}_caps.txt").write_text("\n".join(lines) + "\n")


def training(folder: str, batch: int, options: dict[str, Any]) -> Training:
    """A training that is about to begin."""
    plain = {
        "data": {"name": "precomputed", "folder": folder, "tokenizer": "letters"},
        "encoder": {"width": WIDTH, "word_width": WORD_WIDTH, "min_count": 1},
        "backbone": {"name": "scan"},
        "loss": {"name": "triplet", "margin": 0.2, "negatives": "hardest"},
        "constraints": options.get("constraints", {}),
        "training": {
            "batch_size": batch,
            "learning_rate": 0.0002,
            "precision": options.get("precision", "fp32"),
        },
    }
    return Training(RetrievalConfig.model_validate(plain), MemorySession(seed=1))


def take_form(form: str | None) -> None:
    """Change how attention is computed."""
    if form == "loop":
        loop = direct("t2i")

        def match(self: Scan, images: Fragments, texts: Fragments, parts: object) -> Match:
            return Match(loop(images, texts))

        Scan.match = match  # type: ignore[method-assign, assignment]
    elif form == "padded":
        by_length.GROUP = 10**6
    elif form == "again":
        relevance.KEPT = {"cpu": 0}


def step(asked: argparse.Namespace, options: dict[str, Any]) -> dict[str, float]:
    """Seconds of a step, and the peak of memory in GiB."""
    take_form(options.get("form"))
    made = training(asked.data, options["batch"], options)
    assert made.step is not None
    made.model.train()
    generators = {name: torch.Generator().manual_seed(1) for name in made.objective.constraints}
    taken = []
    for number, batch in enumerate(made.batches.epoch(1)):
        begun = time.perf_counter()
        step_together([Stride(made.step, batch, 0.0002, number, generators)])
        taken.append(time.perf_counter() - begun)
        if number == asked.steps + 1:
            break
    return {
        "seconds": median(taken[2:]),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def products(asked: argparse.Namespace, options: dict[str, Any]) -> dict[str, float]:
    """Seconds of the bare matrix products of a step."""
    made = training(asked.data, options["batch"], options)
    taken = []
    for number, batch in enumerate(made.batches.epoch(1)):
        lengths = batch.lengths.sort(descending=True).values
        words = int(lengths.sum())
        alive = [int((lengths > place).sum()) for place in range(int(lengths.max()))]
        features, projection = batch.regions.flatten(0, 1), torch.randn(FEATURES, WIDTH)
        embedded, inward = torch.randn(words, WORD_WIDTH), torch.randn(WORD_WIDTH, 3 * WIDTH)
        states, onward = torch.randn(batch.own.stop, WIDTH), torch.randn(WIDTH, 3 * WIDTH)
        vectors, cosines = torch.randn(words, WIDTH), torch.randn(len(features), words)
        gates = torch.randn(words, 3 * WIDTH)
        begun = time.perf_counter()
        regions = features @ projection
        features.T @ regions
        for _ in ("forwards", "backwards"):
            embedded @ inward
            embedded.T @ gates
            gates @ inward.T
            for count in alive:
                states[:count] @ onward
                gates[:count] @ onward.T
            vectors.T @ gates
        regions @ vectors.T
        cosines @ vectors
        cosines.T @ regions
        taken.append(time.perf_counter() - begun)
        if number == asked.steps + 1:
            break
    return {"seconds": median(taken[2:]), "peak": 0.0}


def asked_of(arguments: list[str], options: dict[str, Any]) -> dict[str, float]:
    """What a process of its own says."""
    command = [sys.executable, __file__, *arguments, "--row", json.dumps(options)]
    found: dict[str, float] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )
    return found


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description="A whole step of training.")
    parser.add_argument("--batch", type=int, default=128, help="pairs of a batch (default: 128)")
    parser.add_argument("--large", type=int, default=512, help="pairs of a large batch (default: 512)")
    parser.add_argument("--steps", type=int, default=5, help="counted steps (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    parser.add_argument("--data", help=argparse.SUPPRESS)
    parser.add_argument("--row", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    positive(parser, asked, "batch", "large", "steps", "threads")
    torch.set_num_threads(asked.threads)
    if asked.row is not None:
        options = json.loads(asked.row)
        print(json.dumps((products if options.get("form") == "products" else step)(asked, options)))
        return
    print(machine("torch"))
    print(
        f"{REGIONS} regions of {FEATURES:,}, D {WIDTH:,}; threads {asked.threads}, medians of {asked.steps}.\n"
    )
    with tempfile.TemporaryDirectory(prefix="crosscut-step-") as folder:
        write(Path(folder), -(-asked.large * (asked.steps + 2) // EACH))
        rest = ["--threads", str(asked.threads), "--steps", str(asked.steps), "--data", folder]
        head = ["ms", "products, ms", "ms / products", "ms / that of SCAN t2i", "peak, GiB"]
        print(f"| step | batch | {' | '.join(head)} |\n|---|{'---:|' * (len(head) + 1)}")
        for batch, rows in ((asked.batch, list(ROWS)), (asked.large, ["SCAN t2i", "cosines computed again"])):
            bare = asked_of(rest, {"form": "products", "batch": batch})["seconds"]
            first: float | None = None
            for name in rows:
                found = asked_of(rest, {**ROWS[name], "batch": batch})
                own = found["seconds"]
                first = first or own
                figures = [f"{1e3 * own:.0f}", f"{1e3 * bare:.0f}", f"{own / bare:.2f}", f"{own / first:.2f}"]
                print(f"| {name} | {batch} | {' | '.join(figures)} | {found['peak']:.2f} |", flush=True)
    print(
        "\nTarget: at most 4 times the products; CCR and CCS at most 1.3 times; the large batch within 16 GiB."
    )


if __name__ == "__main__":
    main()
