"""One worker of a group: `distributed_run.py RANK WORLD_SIZE MEETING_FILE RESULT_FILE`, cases on stdin.

For every case it writes the terms and averaged gradients of the first batch, and the ranks of a whole run; and
last the names of the native threads that its group has left behind, of which there must be none: a thread of gloo
that lets go of a tensor while Python shuts down ends the process with SIGABRT.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch

from crosscut_trainables.config import RetrievalConfig
from crosscut_trainables.distribution import average_gradients
from crosscut_trainables.dropout import begin_step
from crosscut_trainables.loop import Training
from crosscut_trainables.retrieval import train
from crosscut_trainables.session import MemorySession


def first_batch(config: dict[str, Any], rank: int, world_size: int) -> dict[str, Any]:
    session = MemorySession(seed=5, rank=rank, world_size=world_size)
    training = Training(RetrievalConfig.model_validate(config), session)
    generators = {name: torch.Generator().manual_seed(9) for name in training.objective.constraints}
    begin_step(training.model, 3)
    terms = training.objective.terms(next(training.batches.epoch(1)), generators)
    terms["loss/total"].backward()
    average_gradients(training.model.parameters(), world_size)
    gradients = {name: p.grad for name, p in training.model.named_parameters() if p.grad is not None}
    return {"terms": {name: term.item() for name, term in terms.items()}, "gradients": gradients}


def main() -> None:
    rank, world_size = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    if world_size > 1:
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{sys.argv[3]}", rank=rank, world_size=world_size
        )
    results = []
    for case in json.load(sys.stdin):
        result = first_batch(case["config"], rank, world_size)
        if case["train"]:
            evaluation = train(case["config"], MemorySession(seed=5, rank=rank, world_size=world_size))
            result["ranks"] = {name: ranks.ranks.tolist() for name, ranks in evaluation.ranks.items()}
        results.append(result)
    if world_size > 1:
        torch.distributed.destroy_process_group()
    names = [file.read_text().strip() for file in Path("/proc/self/task").glob("*/comm")]
    left = [name for name in names if "gloo" in name]
    torch.save({"results": results, "left": left}, f"{sys.argv[4]}.{rank}")


main()
