"""What the platform may ask of a trainable beside training: which configurations it takes, on which data.

A trainable is any importable callable `train(config, session) -> Evaluation`. One that is decorated with
`describe` is checked before anything is queued; one that is not is taken as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from pydantic import BaseModel

from crosscut_trainables.evaluation import Evaluation
from crosscut_trainables.session import Session

Train = Callable[[Mapping[str, Any], Session], Evaluation]


class Description(Protocol):
    """How a trainable describes itself to the platform; none of it may import torch."""

    @property
    def config(self) -> type[BaseModel]:
        """The configurations it takes; unknown keys must be forbidden."""
        ...

    def fingerprint(self, config: BaseModel) -> str:
        """Hash of the data that `config` asks for: runs on other data have other keys."""
        ...

    def seconds(self, config: BaseModel) -> float | None:
        """Rough seconds of one run on one core of an ordinary machine, None where nobody knows."""
        ...


@runtime_checkable
class Measuring(Protocol):
    """A description that knows its metrics beforehand, so that a misspelt one is refused before anything runs."""

    def metrics(self, config: BaseModel) -> Sequence[str]:
        """Names of the metrics that every run of `config` gives."""
        ...


@runtime_checkable
class Locating(Protocol):
    """A description that knows which options only say where something lies, such as the folder of a model.

    What lies there must be in the fingerprint: then moving it repeats no run.
    """

    @property
    def locations(self) -> Sequence[str]:
        """Their paths in the configuration, such as `encoder.word_vectors`; a `*` is every key of a mapping."""
        ...


@runtime_checkable
class Joint(Protocol):
    """A description of a trainable that can train several seeds of a configuration in one process."""

    def together(self, config: BaseModel) -> int:
        """How many seeds at most; 1 where it would bring nothing."""
        ...

    def train_together(
        self, config: Mapping[str, Any], sessions: Sequence[Session]
    ) -> list[Evaluation | Exception]:
        """For each session what the trainable returns, or what it raises, whatever that of the others comes to.

        A run's evaluation is the one that it has alone. What this raises itself is no run's fault: they are
        trained one by one then.
        """
        ...


F = TypeVar("F", bound=Train)


def describe(description: Description) -> Callable[[F], F]:
    """Decorator that attaches a description to a trainable."""

    def attach(train: F) -> F:
        train.__dict__["description"] = description
        return train

    return attach


def description_of(train: Train) -> Description | None:
    """The description of a trainable, None for a callable that has none."""
    return cast("Description | None", getattr(train, "description", None))
