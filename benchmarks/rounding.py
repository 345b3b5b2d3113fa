"""What comparing all pairs in bfloat16 does to ranks: trained models, evaluated both ways.

    python benchmarks/rounding.py [--seeds 3] [--epochs 6]

Models of the default data, trained in single precision and evaluated on test with `evaluation.precision` fp32 and
bf16. *Spread* is the standard deviation of rsum over the seeds, the least that a difference has to be held
against. Prints Markdown.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from machine import machine

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.loop import Training
from crosscut_trainables.session import MemorySession

BACKBONES: tuple[dict[str, Any], ...] = (
    {"name": "scan", "direction": "t2i"},
    {"name": "scan", "direction": "i2t"},
    {"name": "scan", "direction": "both"},
    {"name": "bfan", "focus": "equal"},
    {"name": "bfan", "focus": "prob"},
    {"name": "pfan"},
)


def ranks(training: Training, precision: str) -> tuple[float, np.ndarray[Any, np.dtype[np.int32]]]:
    """rsum on test and the ranks of all its queries."""
    options = training.config.evaluation.model_copy(update={"precision": precision})
    training.assessment.config = training.config.model_copy(update={"evaluation": options})
    found = training.assessment.recalls("test")
    return found.metrics["test/rsum"], np.concatenate([one.ranks for one in found.ranks.values()])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Ranks in bfloat16.")
    parser.add_argument("--seeds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--epochs", type=int, default=6, help="(default: 6)")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default: 2)")
    asked = parser.parse_args()
    for name in ("seeds", "epochs", "threads"):
        if getattr(asked, name) < (2 if name == "seeds" else 1):
            parser.error(f"--{name}: found {getattr(asked, name)}, expected more")
    torch.set_num_threads(asked.threads)
    print(machine("torch"))
    test = RetrievalConfig().data.load("test")
    sizes = f"{len(test.captions)} captions and {len(test.present)} images of test"
    print(f"{asked.seeds} seeds of {asked.epochs} epochs; {sizes}.\n")
    head = [
        "rsum, fp32",
        "spread",
        "rsum in bf16 less that",
        "largest of a seed",
        "queries of another rank, %",
    ]
    head += ["by more than one place, %"]
    print(f"| backbone | {' | '.join(head)} |\n|---|{'---:|' * len(head)}")
    for backbone in BACKBONES:
        sums, apart, moved = [], [], []
        for seed in range(asked.seeds):
            plain = {"backbone": backbone, "training": {"epochs": asked.epochs}}
            training = Training(
                RetrievalConfig.model_validate(plain), MemorySession(seed=seed, phase="search")
            )
            training.run()
            exact, own = ranks(training, "fp32")
            rounded, other = ranks(training, "bf16")
            sums.append(exact)
            apart.append(rounded - exact)
            moved.append(np.abs(own - other))
        places = np.concatenate(moved)
        figures = [f"{np.mean(sums):.1f}", f"{np.std(sums, ddof=1):.1f}", f"{np.mean(apart):+.2f}"]
        figures += [f"{max(apart, key=abs):+.2f}"]
        figures += [f"{100 * np.mean(places > least):.1f}" for least in (0, 1)]
        print(f"| {' '.join(backbone.values())} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
