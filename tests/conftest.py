"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceloc.testing.traces import make_trace
from traceloc.trace import ToolCall, Trace

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Labelled traces and samples that cannot be part of the project."""
    path = Path(os.environ.get("TRACELOC_SHARED", ROOT.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip(f"no shared data in {path}; set TRACELOC_SHARED to where it is")
    return path


@pytest.fixture
def call() -> Callable[..., ToolCall]:
    """A call by the tool's name and arguments."""

    def make(name: str, *, id: str | None = None, **arguments: Any) -> ToolCall:
        return ToolCall(name=name, id=id, arguments=arguments)

    return make


@pytest.fixture
def talk() -> Callable[..., Trace]:
    """Makes a trace from lines ``(agent, text)`` or ``(agent, text, {field: value})``."""
    return make_trace


@pytest.fixture(autouse=True)
def own_stores(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No labels of whoever runs the tests are read, and none are written among theirs."""
    if "TRACELOC_HOME" not in os.environ:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
