"""The command `tensorboard`: starts TensorBoard on a sweep's runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from crosscut.records.mirror import Mirror

REFRESH = 30.0
"""Seconds between two looks at an object store."""


def tensorboard(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Folder or URI of a sweep, such as results/quickstart.")
    ],
    port: Annotated[int, typer.Option(help="Port of the server.")] = 6006,
    host: Annotated[str, typer.Option(help="Address that the server listens on.")] = "localhost",
    arms: Annotated[
        bool,
        typer.Option("--arms", help="Show what the arms come to over their seeds, without the single runs."),
    ] = False,
) -> None:
    """Start TensorBoard on a sweep's runs; on this machine only unless --host says otherwise."""
    import os

    from crosscut.engine.board import ARMS
    from crosscut.records.mirror import Mirror
    from crosscut.records.store import Store

    store = Store.open(folder)
    shown = store.tensorboard / ARMS if arms else store.tensorboard
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(shown)]
    command += ["--host", host, "--port", str(port), "--reload_interval", "5"]
    # Without its data server, TensorBoard would otherwise wait for more in a file that was replaced.
    command += ["--reload_multifile", "true"]
    if store.place.path is None:
        raise typer.Exit(_beside(command, Mirror(store, shown)))
    # This process becomes TensorBoard, so that whoever stops it stops the server.
    os.execv(sys.executable, command)  # noqa: S606


def _beside(command: list[str], mirror: Mirror) -> int:
    """Run TensorBoard while a mirror of what it shows is kept fresh; its exit code."""
    import subprocess

    mirror.refresh()
    with subprocess.Popen(command) as server:  # noqa: S603
        try:
            while True:
                try:
                    return server.wait(timeout=REFRESH)
                except subprocess.TimeoutExpired:
                    try:
                        mirror.refresh()
                    except OSError as error:
                        typer.echo(f"crosscut: {' '.join(str(error).split())}; it is tried again", err=True)
        finally:
            server.terminate()
