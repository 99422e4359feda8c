"""Real processes on one store."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from traceloc.labels.store import LabelStore

WRITER = Path(__file__).with_name("writer.py")


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(path), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_eight_processes_write_at_once(store):
    """All of them find no store and make one, and none loses a label."""
    writers = [start(store.path, f"w{n}", 25) for n in range(8)]
    said = []
    for writer in writers:
        out, err = writer.communicate(timeout=120)
        assert writer.returncode == 0, err
        said += [line.split() for line in out.splitlines()]
    events = store.events()
    assert len(said) == 8 * 25 == len(events)
    assert [event.id for event in events] == list(range(1, 201)), "no number is used twice"
    assert {(str(e.id), e.trace_id) for e in events} == {tuple(each) for each in said}
    assert len(store.groups()) == 200
    assert [file.name for file in store.path.parent.iterdir()] == ["labels.db"]


def test_kill_9_loses_nothing_that_was_committed(store):
    for round_ in range(4):
        writer = start(store.path, f"k{round_}", 10_000)
        assert writer.stdout is not None
        committed = [writer.stdout.readline().split()[1] for _ in range(15)]
        os.kill(writer.pid, signal.SIGKILL)
        rest, _ = writer.communicate(timeout=60)
        whole = [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        committed += [line.split()[1] for line in whole]
        kept = {event.trace_id for event in store.events()}
        assert set(committed) <= kept
        # An event and its measurements came together or not at all.
        assert set(store.groups()) == kept
    db = sqlite3.connect(store.path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()


READ_ONLY = """
import os, sys
from traceloc.errors import StoreError
from traceloc.labels.store import LabelStore
if os.getuid() == 0:  # whom permissions do not stop
    os.setgid(65534); os.setuid(65534)
store = LabelStore(sys.argv[1])
event, = store.events()
print(event.trace_id)
try:
    store.undo()
except StoreError as error:
    print(error.code)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_store_that_may_only_be_read(subject):
    # Not below tmp_path, which nobody but its owner may enter.
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "labels.db"
        LabelStore(path).add("label", subject())
        path.chmod(0o444)
        folder.chmod(0o555)
        before = path.read_bytes()
        code = [sys.executable, "-c", READ_ONLY, str(path)]
        done = subprocess.run(code, capture_output=True, text=True, timeout=60)
        assert done.stdout.split() == ["t", "TL504"], done.stderr
        assert path.read_bytes() == before
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)
