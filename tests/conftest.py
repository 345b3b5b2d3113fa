"""What the tests of all three packages share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Ray runs its workers at niceness 15. Beside anything else on the machine, tests of it would then wait for ever.
os.environ.setdefault("RAY_worker_niceness", "0")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of published tables that some tests check figures against."""
    folder = Path(os.environ.get("CROSSCUT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the published tables are not at {folder}; CROSSCUT_SHARED_DATA names their folder")
    return folder
