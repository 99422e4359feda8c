"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Labelled traces and samples that cannot be part of the project."""
    path = Path(os.environ.get("TRACELOC_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"no shared data in {path}; set TRACELOC_SHARED to where it is")
    return path
