"""Work, records, stores and the command line for the tests of the platform."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crosscut import cli
from crosscut.arms.arm import Arm
from crosscut.arms.experiment import Experiment
from crosscut.plan import Plan
from crosscut.records.record import Record, Step
from crosscut.records.store import Store
from crosscut.records.work import Work
from crosscut.sweepfile.sweep import Sweep
from crosscut_trainables.evaluation import QueryRanks
from crosscut_trainables.metrics import retrieval_metrics


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int
    output: str
    errors: str


@pytest.fixture
def crosscut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """The command line in this process, in the test's own folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["crosscut", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        output, errors = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, output, errors)

    return run


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Makes an empty bucket of the S3 server and gives its URI."""
    from pyarrow.fs import S3FileSystem

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def make() -> str:
        name = f"bucket-{uuid.uuid4().hex}"
        there = {"endpoint_override": s3, "scheme": "http", "region": "us-east-1"}
        S3FileSystem(allow_bucket_creation=True, **there).create_dir(name)
        return f"s3://{name}/results?" + "&".join(f"{key}={value}" for key, value in there.items())

    return make


@pytest.fixture
def work() -> Work:
    return Work(
        key="0123456789abcdef0123",
        arm="scan, ccr",
        levels={"backbone": "scan", "constraints": "ccr"},
        phase="final",
        index=2,
        seed=2,
        trainable="module:train",
        config={"training": {"learning_rate": 0.1}},
        values={"training.learning_rate": 0.1},
        data="fingerprint",
    )


@pytest.fixture
def record(work: Work) -> Record:
    ranks = QueryRanks(np.array([1, 7, 3, 2], np.int32), np.array([0, 0, 1, 1], np.int32))
    return Record(
        work,
        "finished",
        metrics={"test/rsum": 312.5},
        history=(Step(1, {"dev/rsum": 200.0}), Step(2, {"dev/rsum": 300.25})),
        ranks={"test/t2i": ranks},
        seconds=1.5,
        provenance={"versions": {"python": "3.11"}},
    )


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[[], Store]:
    return lambda: Store.create(str(tmp_path / "results"), "sweep")


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    return make_store()


@pytest.fixture
def make_experiment() -> Callable[..., Experiment]:
    """Makes an experiment of arms that differ in `effect`, one a level, whose `x` is searched."""

    def make(
        levels: tuple[str, ...] = ("none", "some"), trials: int = 2, seeds: int = 3, **sections: Any
    ) -> Experiment:
        said = {
            "name": "toy",
            "question": "Does the effect have an effect?",
            "trainable": "toy:train",
            "config": {"x": 0.5},
            "factors": {"effect": {level: {"effect": float(i)} for i, level in enumerate(levels)}},
            "design": {"kind": "full-factorial", "baseline": {"effect": levels[0]}},
            "seeds": sections.pop("seeds_section", {"count": seeds}),
            **sections,
        }
        if trials:
            space = {"x": {"uniform": [0, 1]}}
            said["search"] = {
                "metric": "dev/rsum",
                "trials": trials,
                "space": space,
                **said.get("search", {}),
            }
        sweep = Sweep.from_json(said)
        searched = {} if sweep.search is None else dict(sweep.search.space)
        arms = tuple(
            Arm(
                level,
                {"effect": level},
                {"effect": float(i), "x": 0.5},
                searched,
                "data",
                None,
                resources=sweep.resources,
            )
            for i, level in enumerate(levels)
        )
        return Experiment(sweep, arms, arms[0])

    return make


def outcome_of(work: Work) -> Record:
    """What training would give, a function of the work alone: 20 images with two captions each."""
    score = work.config["effect"] - (work.config["x"] - 0.7) ** 2
    history = tuple(Step(step, {"dev/rsum": score - 1 / step}) for step in (1, 2))
    versions = {"python": "3.11.0", "numpy": "2.0.0"}
    whence = {"versions": versions, "commit": "abc", "workers": 1, "device": "cpu"}
    record = Record(
        work, "finished", {"dev/rsum": score}, history, seconds=2.0, started=1.0, ended=3.0, provenance=whence
    )
    if work.phase == "search":
        return record
    draw = np.random.default_rng([work.seed, round(10 * work.config["effect"])])
    images = np.arange(20, dtype=np.int32)
    ranks = {
        name: QueryRanks(draw.integers(1, 15, len(clusters)).astype(np.int32), clusters)
        for name, clusters in (("test/i2t", images), ("test/t2i", np.repeat(images, 2)))
    }
    metrics = retrieval_metrics("test", ranks["test/i2t"], ranks["test/t2i"])
    return replace(record, metrics={**record.metrics, **metrics}, ranks=ranks)


@pytest.fixture
def outcome() -> Callable[[Work], Record]:
    return outcome_of


@pytest.fixture
def complete() -> Callable[..., None]:
    """Carries a plan out to its end, or so many outcomes far, with made-up records."""

    def carry_out(
        plan: Plan,
        outcome: Callable[[Work], Record] = outcome_of,
        *,
        store: Store | None = None,
        most: int | None = None,
    ) -> None:
        done = 0
        while done != most and (work := plan.next()) is not None:
            record = outcome(work)
            plan.ended(record if store is None else store.write(record))
            done += 1

    return carry_out
