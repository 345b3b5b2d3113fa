"""Refuses numbers that a benchmark cannot take."""

from __future__ import annotations

import argparse


def positive(parser: argparse.ArgumentParser, asked: argparse.Namespace, *names: str) -> None:
    """End with a sentence where one of these options is below 1."""
    for name in names:
        if getattr(asked, name) < 1:
            parser.error(f"--{name}: found {getattr(asked, name)}, expected a positive number")
