"""The terminal, or the log, that commands tell their results to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def terminal() -> Console:
    """What is printed to. A log is no terminal of 80 columns: lines there are as long as they are."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def say(console: Console, text: str) -> None:
    """Print a line as it is, whatever looks like markup in it."""
    from rich.text import Text

    console.print(Text(text), soft_wrap=True)
