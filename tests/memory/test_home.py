from __future__ import annotations

from pathlib import Path

import pytest

from traceloc.errors import StoreError
from traceloc.labels.home import find_label_store
from traceloc.memory.home import find_address, find_memory
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.registry import Registry


def test_the_memory_lies_beside_the_labels(tmp_path):
    (tmp_path / ".traceloc").mkdir()
    where = {"environment": {}, "directory": tmp_path / "src"}
    memory = find_memory(**where)
    assert isinstance(memory, SqliteStore)
    assert memory.path == tmp_path / ".traceloc" / "memory.db"
    assert memory.path.parent == find_label_store(**where).path.parent
    assert not memory.path.exists()


def test_a_variable_names_another(tmp_path, monkeypatch):
    stated = {"TRACELOC_MEMORY": "~/team.db", "TRACELOC_HOME": str(tmp_path)}
    assert find_address(environment=stated) == str(Path.home() / "team.db")
    assert find_address(environment=stated | {"TRACELOC_MEMORY": ""}) == str(tmp_path / "memory.db")
    server = {"TRACELOC_MEMORY": "postgresql://ann:secret@db/~team"}
    assert find_address(environment=server) == "postgresql://ann:secret@db/~team"


def test_an_address_no_backend_knows():
    with pytest.raises(StoreError, match="redis://…") as caught:
        find_memory("redis://ann:secret@host/0")
    assert caught.value.code == "TL530"
    assert "secret" not in str(caught.value)
    assert "postgres, sqlite" in caught.value.hint


def test_an_address_whose_backend_is_shut_out():
    with pytest.raises(StoreError) as caught:
        find_memory("postgresql://host/x", registry=Registry(allow=frozenset({"sqlite"})))
    assert caught.value.code == "TL530"
    assert caught.value.hint == "there are: sqlite"
