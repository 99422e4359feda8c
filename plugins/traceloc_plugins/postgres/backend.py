"""The memory on a server: rows and changes as in a file, neighbours found by pgvector."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.memory.ledger import Database, read_meta
from traceloc.memory.packing import Damage
from traceloc.memory.sql_store import SqlStore
from traceloc.memory.store import Neighbour
from traceloc.memory.vectors.exact import normalize, order, score
from traceloc.memory.vectors.table import Part
from traceloc_plugins.postgres.connecting import (
    SCHEMES,
    Server,
    ServerDatabase,
    read_address,
)
from traceloc_plugins.postgres.halves import use_halves
from traceloc_plugins.postgres.tables import TABLES, VERSION

BUSY_SECONDS = 30.0
EXACT_ROWS = 20_000
"""Up to so many rows a search looks at each; of more it asks an HNSW index."""
_MORE = 8
"""Neighbours asked for beyond ``k``: the server's arithmetic and ours may differ in the last."""


class PostgresBackend:
    """Memories on PostgreSQL servers."""

    name = "postgres"
    api_version = 1

    def handles(self, address: str) -> bool:
        """``postgresql://…`` and ``postgres://…``."""
        return address.startswith(SCHEMES)

    def open(self, address: str) -> PostgresStore:
        """The memory at an address; nothing is connected before it is used."""
        return PostgresStore(address)


class PostgresStore(SqlStore):
    """A memory in one schema of a database.

    Args:
        address: ``postgresql://…``, with ``#NAME`` for one of several memories.
        busy_seconds: How long to wait for other writers.
        exact_rows: See ``EXACT_ROWS``.
    """

    def __init__(
        self,
        address: str,
        *,
        busy_seconds: float = BUSY_SECONDS,
        exact_rows: int = EXACT_ROWS,
    ) -> None:
        self._server = Server(read_address(address), busy_seconds=busy_seconds)
        self._exact_rows = exact_rows

    def close(self) -> None:
        """See :meth:`traceloc.memory.store.SchemaStore.close`."""
        self._server.close()

    @contextmanager
    def _reading(self) -> Iterator[Database | None]:
        with self._server.transaction(write=False) as db:
            try:
                yield db if self._exists(db) else None
            except Damage as error:
                raise self._server.damaged(error) from error

    @contextmanager
    def _writing(self) -> Iterator[Database]:
        if not self._made():
            self._create()
        with self._server.transaction(write=True) as db:
            # One writer at a time, so that the numbers of changes rise as they become visible.
            db.execute("LOCK TABLE changes IN EXCLUSIVE MODE")
            try:
                epoch = read_meta(db).epoch
                yield db
                self._follow(db, epoch)
            except Damage as error:
                raise self._server.damaged(error) from error

    def _made(self) -> bool:
        with self._server.transaction(write=False) as db:
            return self._exists(db)

    def _exists(self, db: ServerDatabase) -> bool:
        schema = self._server.address.schema
        # Read from the tables of the catalogue: its functions may answer from before a wait.
        tables = db.execute(
            "SELECT c.relname FROM pg_catalog.pg_namespace AS s LEFT JOIN pg_catalog.pg_class AS c "
            "ON c.relnamespace = s.oid AND c.relname = 'meta' WHERE s.nspname = ?",
            (schema,),
        ).fetchall()
        if not tables:
            return False
        row = None
        if tables[0][0] is not None:
            row = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
        if row is None:
            message = f"has a schema {schema!r} that is not a failure memory"
            raise self._server.error("TL520", message, "name another memory: …#NAME")
        if int(bytes(row[0])) > VERSION:
            message = f"has schema version {int(bytes(row[0]))}; this traceloc knows {VERSION}"
            raise self._server.error("TL522", message, "update traceloc; it was left as it is")
        return True

    def _create(self) -> None:
        schema = self._server.address.schema
        with self._server.transaction(write=True) as db:
            # Whoever comes second waits here and finds it made.
            db.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (schema,))
            if self._exists(db):
                return
            self._add_extension(db)
            db.execute(f'CREATE SCHEMA "{schema}"')
            for statement in TABLES.split(";\n"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES ('version', ?)", (b"%d" % VERSION,))
        # The search path of connections so far does not know where the extension is.
        self._server.close()

    def _add_extension(self, db: ServerDatabase) -> None:
        import psycopg

        try:
            db.execute("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
            (version,) = db.execute(
                "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
            ).fetchone()
        except psycopg.Error as error:
            raise self._server.error(
                "TL529",
                f"has no pgvector, and it cannot be added: {str(error).splitlines()[0]}",
                "let an administrator run CREATE EXTENSION vector",
            ) from error
        if tuple(int(part) for part in version.split(".")[:2]) < (0, 8):
            raise self._server.error(
                "TL529", f"has pgvector {version}, expected 0.8 or newer", "update the extension"
            )

    def _follow(self, db: ServerDatabase, epoch: int) -> None:
        """Bring the vectors that are searched in step with the rows, in the same transaction."""
        meta = read_meta(db)
        after = 0
        if meta.epoch != epoch:
            for (name,) in db.execute(
                "SELECT indexname FROM pg_indexes WHERE schemaname = ? AND indexname LIKE ?",
                (self._server.address.schema, "near%"),
            ).fetchall():
                db.execute(f'DROP INDEX "{name}"')
            db.execute("DELETE FROM neighbours")
        else:
            # Replaced and removed rows went with the rows they belong to.
            after = db.execute("SELECT COALESCE(MAX(n), 0) FROM neighbours").fetchone()[0]
        cursor = db.execute(
            "SELECT n, shelf, system, trace, vector FROM rows WHERE n > ? ORDER BY n", (after,)
        )
        half = use_halves(db.connection)
        while batch := cursor.fetchmany(1000):
            db.executemany(
                "INSERT INTO neighbours VALUES (?, ?, ?, ?, ?)",
                [(*row[:4], half(row[4])) for row in batch if any(row[4])],
            )
        self._index_large(db, meta.dimension)

    def _index_large(self, db: ServerDatabase, dimension: int) -> None:
        counts = dict(db.execute("SELECT shelf, COUNT(*) FROM neighbours GROUP BY shelf"))
        for shelf, count in counts.items():
            if count > self._exact_rows:
                # Rows of an earlier dimension may lie there still, dead, and are not to be read.
                db.execute(
                    f"CREATE INDEX IF NOT EXISTS near_{shelf}_{dimension} ON neighbours USING hnsw "
                    f"((vector::halfvec({dimension})) halfvec_cosine_ops) "
                    f"WHERE shelf = {shelf} AND vector_dims(vector) = {dimension}"
                )

    def _search(
        self, db: Database, queries: NDArray[np.float32], *, k: int, part: Part
    ) -> list[list[Neighbour]]:
        server = cast(ServerDatabase, db)
        unit = normalize(queries)
        result: list[list[Neighbour]] = [[] for _ in queries]
        asked = np.flatnonzero(unit.any(axis=1))
        if k < 1 or not len(asked):
            return result
        half = use_halves(server.connection)
        where, values = _condition(part)
        few = self._exact_rows
        (count,) = server.execute(
            f"SELECT COUNT(*) FROM (SELECT 1 FROM neighbours WHERE {where} LIMIT ?) AS found",  # noqa: S608
            (*values, few + 1),
        ).fetchone()
        query = _nearest_query(part, queries.shape[1], exact=count <= few)
        if count > few:
            # Go on in the index until enough rows fit the condition.
            server.execute("SET LOCAL hnsw.iterative_scan = strict_order")
            server.execute(f"SET LOCAL hnsw.ef_search = {min(1000, max(100, 4 * k))}")
        for place in asked.tolist():
            packed = np.ascontiguousarray(unit[place], "<f2").tobytes()
            found = server.execute(query, (*values, half(packed), k + _MORE)).fetchall()
            if not found:
                continue
            ids, kept = zip(*found, strict=True)
            near = normalize(np.array([np.frombuffer(each, "<f2") for each in kept], np.float32))
            result[place] = order(ids, score(unit[place], near), k)
        return result

    def _find_faults(self, db: Database) -> Iterator[str]:
        (missing,) = db.execute(
            "SELECT COUNT(*) FROM rows LEFT JOIN neighbours USING (n) "
            "WHERE neighbours.n IS NULL "
            "AND rows.vector != decode(repeat('00', length(rows.vector)), 'hex')"
        ).fetchone()
        if missing:
            yield f"{missing} rows are not among the vectors that are searched"

    def _error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        return self._server.error(code, message, hint)


def _condition(part: Part) -> tuple[str, list[Any]]:
    where, values = f"shelf = {part.shelf}", []
    if part.system is not None:
        where += " AND system = ?"
        values.append(part.system)
    if part.without_trace is not None:
        where += " AND trace IS DISTINCT FROM ?"
        values.append(part.without_trace)
    return where, values


def _nearest_query(part: Part, dimension: int, *, exact: bool) -> str:
    """Ids and vectors of the nearest rows, and of all that equal the last of them.

    Ties keep an index from being used, so only an exact search asks for them.
    """
    where, _ = _condition(part)
    vector = f"vector::halfvec({dimension})"
    last = "FETCH FIRST ? ROWS WITH TIES" if exact else "LIMIT ?"
    return (
        "SELECT rows.id, rows.vector FROM ("  # noqa: S608
        f"SELECT n FROM neighbours WHERE {where} AND vector_dims(vector) = {dimension} "
        f"ORDER BY {vector} <=> ? {last}"
        ") AS near JOIN rows ON rows.n = near.n"
    )
