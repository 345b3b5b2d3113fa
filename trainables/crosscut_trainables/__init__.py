"""Models of image-text retrieval, their data and their metrics: what Crosscut trains.

Knows torch, not Ray: everything here also runs under `MemorySession` in a notebook.
"""

from crosscut_trainables.evaluation import Evaluation, QueryRanks
from crosscut_trainables.session import MemorySession, Session

__all__ = ["Evaluation", "MemorySession", "QueryRanks", "Session"]
