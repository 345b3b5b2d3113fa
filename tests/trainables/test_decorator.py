"""The decorator: a function's parameters become its configuration, what it returns becomes an evaluation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crosscut_trainables import Evaluation, MemorySession
from crosscut_trainables.decorator import trainable
from crosscut_trainables.evaluation import QueryValues
from crosscut_trainables.session import Session
from crosscut_trainables.trainable import Description, Locating, Measuring, Train, description_of


class Forest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    trees: int = 10


def described(train: Train) -> Description:
    description = description_of(train)
    assert description is not None
    return description


def defaults(train: Train) -> dict[str, Any]:
    return described(train).config().model_dump(mode="json")


class TestParameters:
    def test_are_the_configuration_with_its_defaults(self) -> None:
        @trainable
        def train(
            seed: int,
            depth: Annotated[int, Field(ge=1)] = 3,
            rate: float = Field(0.5, gt=0),
            kind: Literal["tree", "line"] = "tree",
            forest: Forest = Forest(),  # noqa: B008 - frozen
        ) -> Mapping[str, float]:
            assert isinstance(forest, Forest)
            return {"dev/score": depth + rate + forest.trees, "dev/seed": seed}

        assert defaults(train) == {"depth": 3, "rate": 0.5, "kind": "tree", "forest": {"trees": 10}}
        found = train({"depth": 4, "forest": {"trees": 20}}, MemorySession(seed=7))
        assert found.metrics == {"dev/score": 24.5, "dev/seed": 7.0}

    @pytest.mark.parametrize(
        "config",
        [
            {"dept": 3},
            {"depth": 0},
            {"depth": "deep"},
            {"rate": float("nan")},
            {"kind": "treee"},
            {"seed": 1},
        ],
    )
    def test_refuse_what_is_none_or_does_not_fit(self, config: dict[str, Any]) -> None:
        @trainable
        def train(
            seed: int,
            depth: Annotated[int, Field(ge=1)] = 3,
            rate: float = 0.5,
            kind: Literal["tree", "line"] = "tree",
        ) -> Mapping[str, float]:
            return {}

        with pytest.raises(ValidationError):
            train(config, MemorySession())

    def test_that_have_no_default_must_be_said(self) -> None:
        @trainable
        def train(depth: int) -> Mapping[str, float]:
            return {"dev/score": depth}

        with pytest.raises(ValidationError):
            train({}, MemorySession())
        assert train({"depth": 2}, MemorySession()).metrics == {"dev/score": 2.0}

    def test_have_defaults_that_are_checked_as_well(self) -> None:
        @trainable
        def train(depth: int = "deep") -> Mapping[str, float]:  # type: ignore[assignment]
            return {}

        with pytest.raises(ValidationError):
            train({}, MemorySession())

    def test_give_the_session_and_the_seed_to_who_asks_for_them(self) -> None:
        @trainable
        def train(depth: int = 1, *, session: Session) -> Mapping[str, float]:
            session.report(1, {"dev/score": 2.0})
            return {"dev/score": float(session.seed)}

        session = MemorySession(seed=9)
        assert train({}, session).metrics == {"dev/score": 9.0}
        assert session.reports == [(1, {"dev/score": 2.0})]
        assert defaults(train) == {"depth": 1}

    def test_that_cannot_be_options_are_refused_when_decorated(self) -> None:
        def no_annotation(depth=3): ...  # type: ignore[no-untyped-def]

        def rest(*layers: int): ...  # type: ignore[no-untyped-def]

        def more(**options: int): ...  # type: ignore[no-untyped-def]

        def place(depth: int, /): ...  # type: ignore[no-untyped-def]

        def taken(copy: bool = True): ...  # type: ignore[no-untyped-def]

        def hidden(_depth: int = 3): ...  # type: ignore[no-untyped-def]

        def unknown(depth: Nowhere = 3): ...  # type: ignore[name-defined,no-untyped-def]  # noqa: F821

        said = {
            no_annotation: "the parameter 'depth' has no annotation, expected one, as in depth: int",
            rest: "found \\*layers: ",
            more: "found \\*\\*options: ",
            place: "found depth: 'int', expected parameters that have a name each",
            taken: "no option can be called 'copy', expected another name",
            hidden: "no option can be called '_depth'",
            unknown: "an annotation cannot be looked up \\(name 'Nowhere' is not defined\\)",
        }
        for function, sentence in said.items():
            with pytest.raises(TypeError, match=f"{function.__name__}: {sentence}"):
                trainable(function)


class TestWhatIsReturned:
    def test_is_kept_where_it_is_an_evaluation(self) -> None:
        whole = Evaluation({"test/score": 1.0}, notes=("it is made up",))

        @trainable
        def train(seed: int) -> Evaluation:
            return whole

        assert train({}, MemorySession()) is whole

    def test_has_values_by_query_whose_mean_is_the_metric(self) -> None:
        @trainable
        def train(seed: int) -> Mapping[str, Any]:
            clusters = np.array([4, 4, 5], np.int32)
            return {
                "test/loss": np.float32(0.25),
                "test/right": np.array([True, False, True, True]),
                "test/listed": [1.0, 2.0],
                "test/rank": QueryValues(np.array([1, 2, 6], np.float32), clusters),
            }

        found = train({}, MemorySession())
        assert found.metrics == {"test/loss": 0.25, "test/right": 0.75, "test/listed": 1.5, "test/rank": 3.0}
        assert list(found.values) == ["test/right", "test/listed", "test/rank"]
        right = found.values["test/right"]
        assert right.values.tolist() == [1.0, 0.0, 1.0, 1.0] and right.clusters.tolist() == [0, 1, 2, 3]
        assert (right.values.dtype, right.clusters.dtype) == (np.float32, np.int32)
        assert found.values["test/rank"].clusters.tolist() == [4, 4, 5]

    def test_loses_test_in_a_search_trial(self) -> None:
        @trainable
        def train(seed: int) -> Mapping[str, Any]:
            return {"dev/right": np.array([1.0, 0.0]), "dev/loss": 2.0, "test/right": np.array([1.0, 1.0])}

        found = train({}, MemorySession(phase="search"))
        assert found.metrics == {"dev/right": 0.5, "dev/loss": 2.0} and not found.values
        assert list(train({}, MemorySession()).values) == ["dev/right", "test/right"]

    @pytest.mark.parametrize(
        ("outcome", "error", "sentence"),
        [
            (3.0, TypeError, "train returned float, expected an Evaluation, or metrics by name such as"),
            (None, TypeError, "train returned NoneType, expected"),
            ({3: 1.0}, TypeError, "train names a metric 3, expected text"),
            (
                {"test/x": np.ones((2, 2))},
                ValueError,
                r"train: test/x is an array of the shape \(2, 2\), expected",
            ),
            (
                {"test/x": []},
                ValueError,
                "train: test/x is nothing, expected a number, or one for each query",
            ),
        ],
    )
    def test_is_refused_where_it_is_neither(
        self, outcome: Any, error: type[Exception], sentence: str
    ) -> None:
        @trainable
        def train(seed: int) -> Any:
            return outcome

        with pytest.raises(error, match=sentence):
            train({}, MemorySession())


class TestDescription:
    def test_knows_metrics_and_time_where_they_are_named(self) -> None:
        @trainable(metrics=["dev/score", "test/score"], seconds=2.5)
        def named(seed: int) -> Mapping[str, float]:
            return {}

        @trainable
        def unnamed(seed: int) -> Mapping[str, float]:
            return {}

        description = described(named)
        assert isinstance(description, Measuring)
        assert description.metrics(description.config()) == ("dev/score", "test/score")
        assert description.seconds(description.config()) == 2.5
        assert not isinstance(described(unnamed), Measuring | Locating)
        assert described(unnamed).seconds(described(unnamed).config()) is None
        with pytest.raises(TypeError, match="found metrics 'dev/score', expected a list of names"):
            trainable(metrics="dev/score")(lambda: {})

    def test_has_the_functions_own_name_and_words(self) -> None:
        @trainable
        def train(seed: int) -> Mapping[str, float]:
            """Train nothing."""
            return {}

        assert (train.__name__, train.__module__, train.__doc__) == ("train", __name__, "Train nothing.")

    def test_has_a_fingerprint_of_a_file_or_a_folder(self, tmp_path: Path) -> None:
        def fingerprint(data: str | Path | None) -> str:
            train = trainable(data=data)(lambda: {})
            return described(train).fingerprint(described(train).config())

        file, folder = tmp_path / "wine.csv", tmp_path / "wine"
        file.write_text("red")
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "a.csv").write_text("red")
        first, whole = fingerprint(file), fingerprint(str(folder))
        assert first and whole and first != whole and fingerprint(None) == ""
        os.utime(file, (1, 1))
        assert fingerprint(file.rename(tmp_path / "moved.csv")) == first
        (folder / "deep" / "a.csv").rename(folder / "deep" / "b.csv")
        assert fingerprint(folder) != whole
        (tmp_path / "moved.csv").write_text("white")
        assert fingerprint(tmp_path / "moved.csv") != first
        with pytest.raises(OSError, match=r"wine\.csv"):
            fingerprint(file)

    def test_has_a_fingerprint_of_what_a_function_says(self) -> None:
        def made(data: Any) -> Train:
            @trainable(data=data)
            def train(seed: int, images: int = 100, noise: float = 0.0) -> Mapping[str, float]:
                return {}

            return train

        def fingerprint(data: Any, **config: Any) -> str:
            description = described(made(data))
            return description.fingerprint(description.config.model_validate(config))

        def of(images: int) -> str:
            return f"digits {images}"

        assert fingerprint(of) == fingerprint(of, noise=1.0) != fingerprint(of, images=200)
        assert fingerprint(lambda: "digits 100") == fingerprint(of)
        with pytest.raises(ValueError, match="their function returned 3, expected a text"):
            fingerprint(lambda: 3)
        with pytest.raises(
            TypeError, match="its data ask for 'image', expected one of its options; did you mean 'images'"
        ):
            made(lambda image: "digits")


def test_decorating_imports_neither_torch_nor_the_platform() -> None:
    program = (
        "import json, sys\n"
        "from crosscut_trainables.decorator import trainable\n"
        "@trainable(data=sys.executable)\n"
        "def train(seed: int, depth: int = 1): return {'dev/x': depth}\n"
        "train.description.fingerprint(train.description.config())\n"
        "heavy = ('torch', 'ray', 'pandas', 'sklearn', 'crosscut')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))\n"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
