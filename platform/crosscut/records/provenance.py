"""Where a result came from: versions, commit, machine. Recorded beside a result, never part of its key."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("crosscut", "torch", "ray", "optuna", "numpy", "scipy", "scikit-learn")


COMMIT = "CROSSCUT_COMMIT"
"""The variable that tells a job which commit its code was sent from."""


@functools.cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on; a missing package is left out."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(folder: Path) -> str | None:
    """Commit of the git checkout that `folder` lies in, with `+changes` where files differ from it; None
    outside a checkout. A job, whose files were sent from a checkout, is told by its submitter."""
    if sent := os.environ.get(COMMIT):
        return sent
    try:
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+changes" if changed else "")


def provenance(code: str | None) -> dict[str, Any]:
    """Provenance of what this process computes.

    Args:
        code: the commit of the code, which the driver found where the sweep was started.
    """
    return {
        "versions": versions(),
        "commit": code,
        "host": platform.node(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - whatever git the user has
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    return done.stdout.strip()
