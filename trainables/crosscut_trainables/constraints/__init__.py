"""Constraints on attention. `CONSTRAINTS` lists them by name."""

from __future__ import annotations

from crosscut_trainables.constraints.ccr import ContentResourcing
from crosscut_trainables.constraints.ccs import ContentSwapping
from crosscut_trainables.constraints.constraint import Constraint

CONSTRAINTS: dict[str, type[Constraint]] = {"ccr": ContentResourcing, "ccs": ContentSwapping}

__all__ = ["CONSTRAINTS", "Constraint", "ContentResourcing", "ContentSwapping"]
