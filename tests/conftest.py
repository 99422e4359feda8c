"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from traceloc.loading import TraceBuilder
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
    """A trace from lines ``(agent, text)`` or ``(agent, text, {field: value})``.

    The user is a person, ``tool`` or ``tool.NAME`` gives back what a tool returned, the rest work.
    """

    def make(*lines: tuple[Any, ...], orchestrator: str = "Boss", **fields: Any) -> Trace:
        builder = TraceBuilder(format="talk")
        outcome = fields.pop("outcome", None)
        truth = fields.pop("truth", None)
        for tool in fields.pop("tools", ()):
            builder.tool(**tool)
        for index, (agent, text, *more) in enumerate(lines):
            extra = dict(more[0]) if more else {}
            kind, role = "message", "assistant"
            if agent.startswith("tool"):
                agent = agent.partition(".")[2] or "tool"
                kind, role = "result", "tool"
            elif agent in ("user", "system"):
                kind, role = ("message" if agent == "user" else "system"), agent
            elif agent == orchestrator:
                builder.agent(agent, kind="orchestrator")
            if extra.get("calls"):
                kind = "action"
            elif extra.get("to"):
                kind = "handoff"
            extra = {"kind": kind, "role": role, "native_index": index} | extra
            builder.step(agent=agent, text=text, **extra)
        if outcome:
            builder.outcome(**outcome)
        if truth:
            builder.truth(**truth)
        return builder.build(id="t", **fields)

    return make


@pytest.fixture(autouse=True)
def own_stores(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No labels of whoever runs the tests are read, and none are written among theirs."""
    if "TRACELOC_HOME" not in os.environ:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "data"))
