"""The machine a benchmark ran on, in one line: what a reader needs to judge the figures, and no host name."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path


def machine(*packages: str) -> str:
    """CPU, cores, load before the benchmark, system, and the versions of Python, Crosscut and `packages`."""
    parts = [cpu(), f"{cores()} cores", f"{platform.system()} {platform.machine()}"]
    parts += [f"Python {platform.python_version()}"]
    parts += [f"{package} {metadata.version(package)}" for package in ("crosscut", *packages)]
    return f"Machine: {', '.join(parts)}. Load before the start: {os.getloadavg()[0]:.2f}."


def cores() -> int:
    """Cores that `crosscut run` uses on this machine."""
    return os.cpu_count() or 1


def cpu() -> str:
    """Model of the CPU, or its architecture where the system does not say."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return platform.machine()
