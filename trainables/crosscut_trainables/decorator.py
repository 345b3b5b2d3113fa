"""The decorator that makes a trainable of a plain function: its parameters are the configuration.

```python
@trainable
def train(seed: int, depth: int = 3, scale: bool = True):
    ...
    return {"dev/accuracy": 91.5, "test/accuracy": 100.0 * (predicted == digits)}
```
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias, get_type_hints, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, create_model

from crosscut_trainables.component import Options
from crosscut_trainables.evaluation import Evaluation, QueryValues
from crosscut_trainables.session import Phase, Session
from crosscut_trainables.trainable import Train, describe

Measured: TypeAlias = float | NDArray[Any] | Sequence[float] | QueryValues
"""A metric: a number, or its value by query, of which the metric is the mean. Without clusters every query is a
unit of its own."""

Outcome: TypeAlias = Evaluation | Mapping[str, Measured]
"""What a decorated function may return."""

Data: TypeAlias = str | os.PathLike[str] | Callable[..., str]
"""What tells which data are trained on: a file, a folder, or a function that gives a text that differs with them.
The function may ask for parameters of the trainable by their names."""

GIVEN = ("seed", "session")
"""Parameters that are no configuration: the run's seed, and its session."""


@overload
def trainable(function: Callable[..., Outcome], /) -> Train: ...
@overload
def trainable(
    *, data: Data | None = None, metrics: Sequence[str] = (), seconds: float | None = None
) -> Callable[[Callable[..., Outcome]], Train]: ...
def trainable(
    function: Callable[..., Outcome] | None = None,
    /,
    *,
    data: Data | None = None,
    metrics: Sequence[str] = (),
    seconds: float | None = None,
) -> Train | Callable[[Callable[..., Outcome]], Train]:
    """Make a trainable `train(config, session) -> Evaluation` of a function, with its description.

    Each parameter of the function is a key of the configuration, of the annotated type (any that pydantic checks)
    and with its default; other keys are refused. `seed` and `session` are given to a function that asks for them.
    It returns an `Evaluation`, or its metrics by name: numbers, or values by query. Of such metrics a search trial
    keeps none of test, and no values by query.

    Args:
        function: what is decorated.
        data: the data; runs on other data have other keys. Without it, data that change are not noticed.
        metrics: names of what every run gives; a sweep that asks for another one is refused. Without
            them, none is.
        seconds: rough seconds of a run on one core.

    Raises:
        TypeError: a parameter cannot be a key of a configuration, or `data` asks for one that there is not.
    """

    def decorate(function: Callable[..., Outcome]) -> Train:
        options = options_of(function)
        described = _Described(options, data, seconds)
        if metrics:
            described = _Measuring(options, data, seconds, named=_names(function, metrics))
        if callable(data):
            _refuse_strangers(function, data, options)
        return describe(described)(_trained(function, options))

    return decorate if function is None else decorate(function)


def options_of(function: Callable[..., Any]) -> type[Options]:
    """The model of a function's parameters, but for `seed` and `session`.

    Raises:
        TypeError: a parameter has no annotation or none that can be looked up, no name of its own, or one that a
            pydantic model has already.
    """
    where = function.__qualname__
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in GIVEN
    }
    for name, parameter in parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"{where}: found {parameter}, expected parameters that have a name each")
        if name.startswith("_") or name in dir(BaseModel):
            raise TypeError(f"{where}: no option can be called {name!r}, expected another name")
        if parameter.annotation is parameter.empty:
            raise TypeError(
                f"{where}: the parameter {name!r} has no annotation, expected one, as in {name}: int"
            )
    written = SimpleNamespace(__annotations__={name: one.annotation for name, one in parameters.items()})
    try:
        kinds = get_type_hints(written, function.__globals__, include_extras=True)
    except NameError as error:
        raise TypeError(f"{where}: an annotation cannot be looked up ({error})") from error
    fields: dict[str, Any] = {
        name: (kinds[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in parameters.items()
    }
    return create_model(f"{function.__name__}_options", __base__=_Parameters, __module__=__name__, **fields)


class _Parameters(Options):
    """The parameters of a function; defaults are checked as all values are."""

    model_config = ConfigDict(validate_default=True, protected_namespaces=())


@dataclass(frozen=True)
class _Described:
    """What a decorated function says of itself."""

    config: type[BaseModel]
    data: Data | None
    rough: float | None

    def fingerprint(self, config: BaseModel) -> str:
        """SHA-256 of the data, empty where nothing is said of them."""
        if self.data is None:
            return ""
        if not callable(self.data):
            return _of_files(Path(self.data))
        found = self.data(**{name: getattr(config, name) for name in inspect.signature(self.data).parameters})
        if not isinstance(found, str):
            raise ValueError(f"their function returned {found!r}, expected a text that differs with them")
        return hashlib.sha256(found.encode()).hexdigest()

    def seconds(self, config: BaseModel) -> float | None:
        """Rough seconds of a run."""
        return self.rough


@dataclass(frozen=True)
class _Measuring(_Described):
    """The same of a function whose metrics are known beforehand."""

    named: Sequence[str] = ()

    def metrics(self, config: BaseModel) -> Sequence[str]:
        """Names of the metrics that every run gives."""
        return self.named


def _trained(function: Callable[..., Outcome], options: type[Options]) -> Train:
    """The trainable that calls a function with its options."""
    wanted = [name for name in inspect.signature(function).parameters if name in GIVEN]

    def train(config: Mapping[str, Any], session: Session) -> Evaluation:
        checked = options.model_validate(config)
        given: dict[str, Any] = {name: getattr(checked, name) for name in options.model_fields}
        given |= {name: session if name == "session" else session.seed for name in wanted}
        return _evaluation(function(**given), session.phase, function.__qualname__)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(train, name, getattr(function, name))
    return train


def _evaluation(outcome: Outcome, phase: Phase, where: str) -> Evaluation:
    """The evaluation that a function's outcome is. Raises TypeError or ValueError where it is none."""
    if isinstance(outcome, Evaluation):
        return outcome
    if not isinstance(outcome, Mapping):
        expected = "an Evaluation, or metrics by name such as {'test/accuracy': 93.5}"
        raise TypeError(f"{where} returned {type(outcome).__name__}, expected {expected}")
    metrics: dict[str, float] = {}
    values: dict[str, QueryValues] = {}
    for name, found in outcome.items():
        if not isinstance(name, str):
            raise TypeError(f"{where} names a metric {name!r}, expected text")
        if phase == "search" and name.startswith("test/"):
            continue
        measured = _by_query(found, f"{where}: {name}")
        if isinstance(measured, float):
            metrics[name] = measured
            continue
        metrics[name] = float(measured.values.mean(dtype=np.float64))
        if phase == "final":
            values[name] = measured
    return Evaluation(metrics, values=values)


def _by_query(found: Measured, where: str) -> float | QueryValues:
    """A metric as a number or as values by query."""
    if isinstance(found, QueryValues):
        values, clusters = found.values, found.clusters
    else:
        values = np.asarray(found)
        if values.ndim == 0:
            return float(values)
        clusters = np.arange(len(values), dtype=np.int32)
    if values.ndim != 1 or not len(values):
        shape = "nothing" if not values.size else f"an array of the shape {values.shape}"
        raise ValueError(f"{where} is {shape}, expected a number, or one for each query")
    return QueryValues(values.astype(np.float32), clusters)


def _of_files(path: Path) -> str:
    """SHA-256 of a file's content, or of the names and contents of all files below a folder."""
    from crosscut_trainables.data.content import content_hash

    if not path.is_dir():
        return content_hash([path])
    files = sorted(file for file in path.rglob("*") if file.is_file())
    names = [file.relative_to(path).as_posix() for file in files]
    return hashlib.sha256(f"{names}\n{content_hash(files)}".encode()).hexdigest()


def _names(function: Callable[..., Any], metrics: Sequence[str]) -> tuple[str, ...]:
    if isinstance(metrics, str):  # a sequence of texts as well, of its letters
        raise TypeError(f"{function.__qualname__}: found metrics {metrics!r}, expected a list of names")
    return tuple(metrics)


def _refuse_strangers(
    function: Callable[..., Any], data: Callable[..., str], options: type[BaseModel]
) -> None:
    """Raise TypeError where the function of the data asks for what is no option."""
    for name in inspect.signature(data).parameters:
        if name not in options.model_fields:
            close = get_close_matches(name, options.model_fields, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            where = function.__qualname__
            raise TypeError(f"{where}: its data ask for {name!r}, expected one of its options{hint}")
