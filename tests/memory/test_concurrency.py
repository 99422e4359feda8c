from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.memory.conftest import STAMP, make_row, make_vectors
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.vectors.bulk_file import building

HERE = Path(__file__).parent


def test_eight_processes_write_and_read_at_once(address, open_store):
    command = [sys.executable, str(HERE / "writer.py"), address]
    names = "abcdefgh"
    running = [
        subprocess.Popen([*command, name, "12"], stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    store = open_store(address)
    expected = [f"{name}{number:03}" for name in names for number in range(12)]
    assert [row.id for row in store.rows("schema")] == expected
    log = store.log()
    assert [each.id for each in log] == list(range(1, 97))
    assert sorted(each.put[0] for each in log) == expected
    assert store.check() == []


@pytest.fixture
def quick_folder(tmp_path):
    """A folder in memory, if there is one: with a slow disk hardly a kill would meet a write."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_two_hundred_kills_lose_nothing_that_was_committed(quick_folder):
    path = quick_folder / "memory.db"
    command = [sys.executable, str(HERE / "killing.py"), str(path), "200", "7"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    there, unsure = set(), set()
    for line in told.splitlines():
        {"+": there.add, "-": there.discard, "?": unsure.add}[line[0]](line[1:])
        if line[0] == "-":
            unsure.discard(line[1:])
    assert len(there) > 20, "the writers were killed before they wrote anything"
    store = SqliteStore(path)
    assert store.check() == []
    kept = {row.id for row in store.rows("schema")}
    assert not there - unsure - kept, "a committed row is gone"
    for change in store.log():
        assert len(change.put) in (0, 5), "half a change is there"
    vector = make_vectors(1)
    store.apply("learn", put=[make_row("after")], vectors=vector, stamp=STAMP)
    (found,) = store.nearest(vector, k=len(kept) + 9)
    assert {each.id for each in found} == kept | {"after"}
    assert len(found) == len(kept) + 1
    with building(path):
        pass  # the next builder clears away what killed ones left
    left = [file.name for file in quick_folder.iterdir() if ".db-" in file.name[1:]]
    assert not [name for name in left if name.startswith(".")], "what killed builders left is there"
