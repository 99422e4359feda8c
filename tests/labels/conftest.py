"""Stores, and answers to put into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from traceloc.labels.events import Subject
from traceloc.labels.measurements import Measurements
from traceloc.labels.store import LabelStore

NAMES = ("a.x", "a.y")


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore(tmp_path / "home" / "labels.db")


@pytest.fixture
def subject() -> Callable[..., Subject]:
    def make(trace: str = "t", step: int = 1, **fields: Any) -> Subject:
        values = {
            "system": "bot",
            "trace_id": trace,
            "content_hash": f"hash of {trace}",
            "group": f"group of {trace}",
            "locator": f"runs/{trace}.json#{step}",
            "native_index": step,
            "step": step,
            "agent": "Writer",
        }
        return Subject(**(values | fields))

    return make


@pytest.fixture
def measured() -> Callable[..., Measurements]:
    def make(n: int = 4, *, seed: int = 0, version: str = "1") -> Measurements:
        features = np.random.default_rng(seed).normal(size=(n, 2)).astype(np.float32)
        return Measurements(features, np.arange(n), NAMES, {"a": version})

    return make
