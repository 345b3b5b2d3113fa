"""A trainable of many short steps, each with a checkpoint: the fault benchmark copies it beside its sweep."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from crosscut_trainables import Evaluation, QueryRanks, Session
from crosscut_trainables.trainable import describe


class Options(BaseModel):
    """Of a run."""

    model_config = ConfigDict(extra="forbid")
    effect: float
    x: float
    steps: int
    seconds: float


class Description:
    """Seeds of an arm are trained in one process, step by step in turn."""

    config: type[BaseModel] = Options

    def fingerprint(self, config: BaseModel) -> str:
        """There are no data."""
        return ""

    def seconds(self, config: BaseModel) -> float | None:
        """Of a run."""
        assert isinstance(config, Options)
        return config.steps * config.seconds

    def together(self, config: BaseModel) -> int:
        """Seeds at most."""
        return 3

    def train_together(
        self, config: Mapping[str, Any], sessions: Sequence[Session]
    ) -> list[Evaluation | Exception]:
        """Of each session what `train` returns."""
        runs = {number: steps(config, session) for number, session in enumerate(sessions)}
        found: dict[int, Evaluation | Exception] = {}
        while len(found) < len(sessions):
            for number in runs.keys() - found.keys():
                try:
                    next(runs[number])
                except StopIteration as end:
                    found[number] = end.value
                except Exception as error:
                    found[number] = error
        return [found[number] for number in range(len(sessions))]


@describe(Description())
def train(config: Mapping[str, Any], session: Session) -> Evaluation:
    """A score that grows by `effect` and noise from the seed in each of `steps`; what happens goes to the file
    that `SOAK_LOG` names, which is no part of the sweep."""
    run = steps(config, session)
    while True:
        try:
            next(run)
        except StopIteration as end:
            evaluation: Evaluation = end.value
            return evaluation


def steps(config: Mapping[str, Any], session: Session) -> Generator[None, None, Evaluation]:
    """A run, step by step."""

    def log(what: str, step: int) -> None:
        if session.rank == 0:
            line = {"what": what, "phase": session.phase, "seed": session.seed, "effect": config["effect"]}
            with Path(os.environ["SOAK_LOG"]).open("a") as file:
                file.write(json.dumps({**line, "step": step, "time": time.time()}) + "\n")

    state = session.restore() or {"step": 0, "score": 0.0}
    score = float(state["score"])
    log("begins", int(state["step"]))
    for step in range(int(state["step"]) + 1, int(config["steps"]) + 1):
        yield
        time.sleep(config["seconds"])
        score += config["effect"] * config["x"] + float(np.random.default_rng([session.seed, step]).normal())
        session.report(step, {"dev/rsum": score})
        session.save({"step": step, "score": score})
    log("ends", int(config["steps"]))
    if session.phase == "search":
        return Evaluation({"dev/rsum": score})
    ranks = np.random.default_rng(session.seed).integers(1, 30, 100) - round(config["effect"])
    queries = QueryRanks(np.maximum(ranks, 1).astype(np.int32), np.arange(100, dtype=np.int32) // 2)
    rsum = 200.0 * sum(float((queries.ranks <= k).mean()) for k in (1, 5, 10))
    return Evaluation({"dev/rsum": score, "test/rsum": rsum}, {"test/i2t": queries, "test/t2i": queries})
