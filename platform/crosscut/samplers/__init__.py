"""Samplers: ways of choosing the values of search trials. One file each; `SAMPLERS` lists them."""

from __future__ import annotations

from collections.abc import Mapping

from crosscut.samplers.asked import Asked
from crosscut.samplers.cmaes import CMAES
from crosscut.samplers.gp import GP
from crosscut.samplers.grid import GRID
from crosscut.samplers.nsga2 import NSGA2
from crosscut.samplers.qmc import QMC
from crosscut.samplers.random import RANDOM
from crosscut.samplers.sampler import Sampler
from crosscut.samplers.tpe import TPE

SAMPLERS: Mapping[str, Sampler] = {
    "tpe": TPE,
    "random": RANDOM,
    "cmaes": CMAES,
    "gp": GP,
    "grid": GRID,
    "qmc": QMC,
    "nsga2": NSGA2,
}
"""Every sampler under the name that sweep files use."""

__all__ = ["SAMPLERS", "Asked", "Sampler"]
