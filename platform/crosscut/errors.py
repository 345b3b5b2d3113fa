"""Input that is wrong: one exception, and the words that all its sentences are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

Keys = tuple[str, ...]
"""The keys that lead to a place in a file, outermost first."""


@dataclass(frozen=True)
class Problem:
    """Something wrong at one place of the input, before it is known which file the place is in."""

    keys: Keys
    text: str

    def under(self, *keys: str) -> Problem:
        """The same problem, seen from further out."""
        return Problem(keys + self.keys, self.text)

    def sentence(self, where: str) -> str:
        """The sentence with its file and key path: `sweep.yaml: search.trials: found 0, expected …`."""
        return ": ".join(part for part in (where, dotted(self.keys), self.text) if part)


class ProblemsError(ValueError):
    """Problems found by a validator; pydantic carries it as the cause of a validation error."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.sentence("") for problem in problems))
        self.problems = tuple(problems)


class InputError(Exception):
    """The input is wrong, and nothing was started.

    Its text is what the user reads: a sentence per error, each with the file and the key path, and with what
    was found, what was expected and the near name where these exist.
    """

    @classmethod
    def at(cls, where: str, key: str, text: str) -> InputError:
        """The sentence `where: key: text`; `key` may be empty for an error of the whole file."""
        return cls(": ".join(part for part in (where, key, text) if part))

    @classmethod
    def unexpected(
        cls, where: str, key: str, found: object, expected: str, options: Iterable[str] = ()
    ) -> InputError:
        """The sentence `where: key: found …, expected …`, with the nearest of `options` where one is near."""
        return cls.at(where, key, unexpected(found, expected, options))

    @classmethod
    def listing(cls, where: str, sentences: Sequence[str]) -> InputError:
        """One error as it is; of several, a first line that says how many, and a line for each.

        Raises:
            ValueError: without a sentence.
        """
        lines = list(dict.fromkeys(sentences))
        if not lines:
            raise ValueError("an error needs at least one sentence")
        if len(lines) == 1:
            return cls(lines[0])
        return cls("\n".join([f"{where}: {len(lines)} errors", *(f"  {line}" for line in lines)]))


def unexpected(found: object, expected: str, options: Iterable[str] = ()) -> str:
    """`found …, expected …`, and the near name where what was found is text close to one of `options`."""
    return f"found {shown(found)}, expected {expected}{near(found, options)}"


def near(name: object, options: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the option closest to `name`, an empty string where none is close.

    >>> near("trails", ["trials", "metric"])
    "; did you mean 'trials'?"
    >>> near("colour", ["trials", "metric"])
    ''
    """
    if not isinstance(name, str):
        return ""
    folded = {option.casefold(): option for option in options}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f"; did you mean {folded[found[0]]!r}?" if found else ""


def one_of(options: Iterable[str]) -> str:
    """Options in words: `a`, `a or b`, `one of a, b, c`."""
    names = list(options)
    if len(names) <= 2:
        return " or ".join(names) or "nothing"
    return f"one of {', '.join(names)}"


def shown(value: Any) -> str:
    """A value as it is quoted in a sentence: short, and in the words of the file rather than of Python."""
    match value:
        case None:
            return "nothing"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "...")
        case bool() | int() | float():
            return json.dumps(value)
        case dict():
            return (
                "an empty mapping" if not value else f"a mapping with the keys {', '.join(map(str, value))}"
            )
        case list() | tuple():
            text = json.dumps(value, default=str, ensure_ascii=False)
            return text if len(text) <= 60 else f"a list of {len(value)}"
        case _:
            return repr(value)


def dotted(keys: Iterable[str]) -> str:
    """The key path as it is written in sentences and on the command line."""
    return ".".join(keys)
