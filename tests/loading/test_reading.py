"""From files to traces: what a trace of several files is called."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from traceloc.loading import Head, Source, TraceBuilder
from traceloc.loading.reading import Job, read, run
from traceloc.registry import Registry
from traceloc.trace import Trace


class FolderLoader:
    """Reads a folder as one run, and names what the test wants it to name."""

    name = "folder"
    api_version = 1

    def __init__(self, named: str) -> None:
        self.named = named

    def sniff(self, head: Head) -> float:
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        builder = TraceBuilder(format=self.name, source=self.named)
        builder.step(kind="event", role="system", agent="a", native_index=0, text="x")
        yield builder.build(id="r")


@pytest.mark.parametrize(
    ("named", "paths", "source"),
    [
        ("runs/1/b", ("runs/1/a", "runs/1/b"), "runs/1/b"),
        ("runs/1", ("runs/1/a", "runs/1/sub/b"), "runs/1"),
        ("runs/2", ("runs/1/a", "runs/1/b"), "runs/1/a"),
        # One file is its own place, whatever folder a trace was once written in.
        ("runs", ("runs/1/a",), "runs/1/a"),
    ],
)
def test_a_trace_of_many_files_may_be_named_after_their_folder(
    named: str, paths: tuple[str, ...], source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registry = Registry()
    monkeypatch.setattr(registry, "get", lambda kind, name: FolderLoader(named))
    (trace,) = run(Job("folder", paths, str(tmp_path)), registry=registry)
    assert isinstance(trace, Trace) and trace.source == source


LINE = {"type": "user", "uuid": "u1", "message": {"role": "user", "content": "How many lamps?"}}


def test_damaged_compression_does_not_end_a_scan_that_looks_for_other_files_of_a_run(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        lines = [json.dumps({**LINE, "sessionId": f"{name}-{n}"}) for n in range(4000)]
        data = bytearray(gzip.compress("\n".join(lines).encode(), mtime=0))
        data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
        (tmp_path / f"{name}.jsonl.gz").write_bytes(data)
    found = list(read([tmp_path], registry=Registry()))
    assert {item.source for item in found if isinstance(item, Trace)} == {
        str(tmp_path / "one.jsonl.gz"),
        str(tmp_path / "two.jsonl.gz"),
    }
    ends = [str(item) for item in found if "cannot be read further" in str(item)]
    assert ["one.jsonl.gz" in end for end in ends] == [True, False]
