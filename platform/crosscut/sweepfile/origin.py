"""Where a sweep was read from, so that every error can name the file, or the `--set`, that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crosscut.errors import InputError, Keys, Problem


@dataclass(frozen=True)
class Origin:
    """A file, and the places whose values came from elsewhere."""

    file: str
    overrides: tuple[tuple[Keys, str], ...] = ()
    """Keys with what errors name in place of the file, such as `--set seeds.count=3`; later ones win."""

    def where(self, keys: Sequence[str]) -> str:
        """What an error at `keys` names."""
        for path, argument in reversed(self.overrides):
            if tuple(keys[: len(path)]) == path:
                return argument
        return self.file

    def error(self, problems: Sequence[Problem]) -> InputError:
        """The error of an input that has these problems."""
        return InputError.listing(
            self.file, [problem.sentence(self.where(problem.keys)) for problem in problems]
        )
