"""Where the public runs lie that are measured on, and which of them are labelled."""

from __future__ import annotations

import os
from pathlib import Path

SHARED = Path(os.environ.get("TRACELOC_SHARED", Path(__file__).parents[2] / "shared"))
DATA = SHARED / "data"
SETS = (
    "who_and_when_ag",
    "who_and_when_hc",
    "agentrx_magentic",
    "agentrx_tau",
    "agentprocessbench",
    "promas_aqua",
)
"""Labelled by people, on faults that happened by themselves."""
