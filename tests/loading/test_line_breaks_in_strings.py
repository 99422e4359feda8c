"""JSON with raw line breaks inside its strings, as some exporters leave them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceloc import load


@pytest.mark.parametrize("padding", [0, 200_000])
def test_is_recognised_and_read_without_loss(tmp_path: Path, padding: int) -> None:
    said = "One lamp.\n\tTwo lamps." + "x" * padding
    chat = {"messages": [{"role": "user", "content": "How many?"}]}
    chat["messages"] += [{"role": "assistant", "content": said}]
    text = json.dumps(chat, indent=2).replace("\\n\\t", "\n\t")
    assert "\n\tTwo" in text
    path = tmp_path / "run.json"
    path.write_text(text)
    (trace,) = load(path, strict=True)
    assert [step.text for step in trace.steps] == ["How many?", said]
