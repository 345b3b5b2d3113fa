"""Importing a trainable by its name."""

from __future__ import annotations

import importlib
import os
import sys
from typing import cast

from crosscut.errors import near
from crosscut_trainables.trainable import Train


def load(target: str, folder: str | None = None) -> Train:
    """The callable that `module:function` names.

    A module may lie in `folder`, by default the working directory: that is searched last, so nothing there hides
    a package that is installed.

    Raises:
        ValueError: the module does not import, or has no such callable, or is a notebook or script itself; the
            text says which, and why.
    """
    name, _, attribute = target.partition(":")
    if name == "__main__":
        raise ValueError(
            f"found {target!r}, expected a function of a module that workers can import: what a notebook or a "
            "script defines itself exists in its own process only; put it into a file, such as trainables.py, and "
            "name it trainables:train"
        )
    here = folder or os.getcwd()  # noqa: PTH109  (sys.path holds text)
    if here not in sys.path:
        sys.path.append(here)
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        cause = " ".join(str(error).split()) or "it gave no reason"
        raise ValueError(f"{name!r} does not import ({type(error).__name__}: {cause})") from error
    found: object = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            options = [key for key in dir(found) if not key.startswith("_")]
            raise ValueError(f"the module {name!r} has no {attribute!r}{near(part, options)}")
        found = getattr(found, part)
    if not callable(found):
        raise ValueError(
            f"{target!r} is no function, expected a callable train(config, session) -> Evaluation"
        )
    return cast("Train", found)
