"""The error of a training whose loss is no longer a number."""

from __future__ import annotations


class Diverged(RuntimeError):  # noqa: N818 - it says what happened, as in `StopIteration`
    """A loss term became NaN or infinite; the sentence names the epoch and the term."""
