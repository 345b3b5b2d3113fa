"""The doctor: whether this machine can run sweeps, and what to do where it cannot."""

from __future__ import annotations

import importlib
import os
import platform
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from crosscut.errors import InputError
from crosscut.records.place import storage_of

TENSORBOARD_PORT = 6006


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    text: str
    """What there is; where it is not ok, what to do."""


def examine(storage: str) -> Iterator[Finding]:
    """Look at everything a sweep needs, one finding after the other; the slow ones come last."""
    checks: list[Callable[[], Finding]] = [
        _python,
        *(lambda name=name: _package(name) for name in ("ray", "optuna", "tensorboard", "numpy", "scipy")),
        _cores,
        _memory,
        lambda: _storage(storage),
        _shadow,
        _port,
        _torch,
        _gpus,
        _data,
        _ray,
    ]
    for check in checks:
        yield check()


def _python() -> Finding:
    # An older Python does not get as far as this line.
    return Finding("Python", True, f"{platform.python_version()} at {sys.executable}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "is not installed; install crosscut again with pip")


def _cores() -> Finding:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("cores", True, f"{usable} usable of {os.cpu_count()}")


def _memory() -> Finding:
    try:
        gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return Finding("memory", True, "unknown on this system")
    if gib < 4:
        return Finding("memory", False, f"{gib:.1f} GiB; Ray and two workers want 4 GiB at least")
    return Finding("memory", True, f"{gib:.1f} GiB")


def _storage(storage: str) -> Finding:
    try:
        wanted = storage_of(storage)
        # Looked at without leaving anything behind: the nearest folder that exists must take a file.
        if wanted.path is None:
            probe = f".probe-{uuid.uuid4().hex}"
            wanted.write(probe, b"")
            wanted.remove(probe)
        else:
            nearest = next(path for path in (wanted.path, *wanted.path.parents) if path.exists())
            with tempfile.TemporaryFile(dir=nearest):
                pass
    except InputError as error:
        return Finding("storage", False, f"{error}; name another with --storage")
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        text = f"{storage!r} cannot be written ({reason}); name another with --storage"
        return Finding("storage", False, text)
    return Finding("storage", True, f"{wanted.name} can be written")


def _shadow() -> Finding:
    """A package called `platform` on the path breaks Ray in ways that are hard to see."""
    if hasattr(platform, "python_version") and not (Path.cwd() / "platform" / "__init__.py").exists():
        return Finding("module names", True, "nothing shadows Python's platform module")
    return Finding("module names", False, "a package named platform shadows Python's own here; rename it")


def _port() -> Finding:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", TENSORBOARD_PORT)) == 0:
            text = f"{TENSORBOARD_PORT} is taken; use crosscut tensorboard DIR --port with another"
            return Finding("TensorBoard port", False, text)
    return Finding("TensorBoard port", True, f"{TENSORBOARD_PORT} on localhost is free")


def _torch() -> Finding:
    try:
        torch = importlib.import_module("torch")
        tensor = torch.ones(2) @ torch.ones(2)
    except Exception as error:
        return Finding("torch", False, f"does not import ({error}); install it again")
    return Finding("torch", float(tensor) == 2.0, f"{torch.__version__}")


def _gpus() -> Finding:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return Finding("GPUs", True, "none; runs train on the CPU")
    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return Finding(
        "GPUs", True, f"{len(names)}: {', '.join(names)}; set resources.gpus_per_worker to use them"
    )


def _data() -> Finding:
    from crosscut_trainables.data.digit_scenes import DigitScenes

    try:
        DigitScenes().load("dev")
    except Exception as error:
        return Finding("digit-scenes", False, f"cannot be made ({error}); install scikit-learn again")
    return Finding("digit-scenes", True, "the embedded data set can be made")


def _ray() -> Finding:
    from crosscut.engine.cluster import connected
    from crosscut.sweepfile.resources import Resources

    with tempfile.TemporaryDirectory(prefix="crosscut-doctor-") as folder:
        try:
            with connected({"one run": Resources()}, "local", Path(folder) / "ray.log") as cluster:
                import ray

                answer = ray.get(ray.remote(_two).remote(), timeout=60)
        except Exception as error:
            return Finding("Ray", False, f"does not start ({type(error).__name__}: {error})")
    (node,) = cluster.capacity.nodes.values()
    return Finding("Ray", answer == 2, f"starts, with {node.cpus:g} CPUs and {node.gpus:g} GPUs")


def _two() -> int:
    return 2
