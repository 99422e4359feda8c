"""What plugins need that are checked with something that runs: a folder, a model, a server."""

from __future__ import annotations

import itertools
import json
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Tests share modules that are no tests.
sys.path.insert(0, str(Path(__file__).parent))

from traceloc.judgement import JudgePrompt

ANSWER = json.dumps({"claim": "step #1 is wrong", "step": 1})


@pytest.fixture
def replay_prompts(tmp_path: Path) -> tuple[JudgePrompt, ...]:
    """Two questions that a folder answers."""
    from traceloc.judging.replay import ReplayFolder

    folder = ReplayFolder(tmp_path / "answers")
    prompts = tuple(
        JudgePrompt(model=str(folder.path), system="Judge.", user=user) for user in ("One?", "Two?")
    )
    for prompt in prompts:
        digest = folder.write_prompt(model="replay", system=prompt.system, user=prompt.user)
        (folder.path / f"{digest}.answer.json").write_text(ANSWER)
    return prompts


@pytest.fixture
def chat_prompts() -> Iterator[tuple[JudgePrompt, ...]]:
    """Two questions to a scripted model behind OpenAI's protocol, on loopback."""
    from traceloc.judging.endpoint import ChatAnswer, ChatServer

    with ChatServer(lambda request: ChatAnswer(text=f"{len(request.user)} {ANSWER}")) as server:
        yield tuple(
            JudgePrompt(model="openai:scripted", url=server.url, system="Judge.", user=user)
            for user in ("Which one?", "And which now?")
        )


@pytest.fixture(scope="session")
def postgres_addresses() -> Iterator[tuple[Callable[[], str], ...]]:
    """New memories in a real server, where one can run."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install psycopg[binary]")
    tests = runpy.run_path(str(Path(__file__).parents[1] / "memory" / "conftest.py"))
    numbers = itertools.count()
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = tests["start_server"](Path(folder, "data"))
        yield (lambda: f"{server.get_uri()}#kit{next(numbers)}",)
        server.cleanup()
