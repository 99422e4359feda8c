"""Connections to a PostgreSQL server, and what their errors mean to a user."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from traceloc.errors import Location, StoreError

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql://", "postgres://")
CONNECT_SECONDS = 10
_IDLE = 4
_NAME = re.compile(r"[a-z0-9_]{1,40}")


class Address(NamedTuple):
    """An address, taken apart."""

    target: str
    """What the client library is given; may hold a password and is never shown."""
    schema: str
    """Where the tables are: ``traceloc``, or ``traceloc_NAME`` for ``postgresql://…#NAME``."""
    shown: str
    """The address without user, password and parameters."""


def read_address(address: str) -> Address:
    """Take an address apart.

    Raises:
        StoreError: TL529 if it cannot be one; the message does not repeat it.
    """
    target, _, name = address.partition("#")
    try:
        parts = urlsplit(target)
        port = f":{parts.port}" if parts.port else ""
        host = dict(parse_qsl(parts.query)).get("host") or parts.hostname or "localhost"
    except ValueError as error:
        raise StoreError(
            "the address of the memory cannot be read",
            code="TL529",
            hint="postgresql://user:password@host:port/database#name; escape signs of a password",
        ) from error
    if name and not _NAME.fullmatch(name):
        raise StoreError(
            f"a memory cannot be called {name!r}; a name has up to 40 of a-z, 0-9 and _",
            code="TL529",
        )
    shown = f"postgresql://{host}{port}{parts.path}" + (f"#{name}" if name else "")
    return Address(target, f"traceloc_{name}" if name else "traceloc", shown)


class ServerDatabase:
    """A connection inside a transaction, as the ledger uses it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def execute(self, query: str, values: Sequence[Any] = (), /) -> Any:
        """Run one statement; gives a cursor."""
        return self.connection.execute(_places(query), [_plain(each) for each in values])

    def executemany(self, query: str, rows: Sequence[Sequence[Any]], /) -> None:
        """Run one statement for each of many rows."""
        if rows:
            with self.connection.cursor() as cursor:
                cursor.executemany(_places(query), [[_plain(each) for each in r] for r in rows])


class Server:
    """One memory on one server; threads and forked processes may share it.

    Args:
        address: Where it is.
        busy_seconds: How long to wait for other writers.
    """

    def __init__(self, address: Address, *, busy_seconds: float) -> None:
        self.address = address
        self.busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._idle: list[tuple[int, psycopg.Connection[Any]]] = []
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[ServerDatabase]:
        """A transaction that is committed at the end, or leaves no trace.

        Raises:
            StoreError: If the server cannot be reached, is busy, or refuses.
        """
        with self._translating():
            connection = self._take()
            try:
                from psycopg import IsolationLevel

                reading = IsolationLevel.REPEATABLE_READ
                connection.isolation_level = None if write else reading
                connection.read_only = not write
                with connection.transaction():
                    yield ServerDatabase(connection)
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)

    def close(self) -> None:
        """Close what this process has opened."""
        with self._lock:
            _close_all(self._idle)

    def error(self, code: str, message: str, hint: str | None = None) -> StoreError:
        """An error about this memory."""
        return StoreError(message, code=code, hint=hint, location=Location(self.address.shown))

    def damaged(self, found: object) -> StoreError:
        """The error for a memory that holds something it cannot hold."""
        return self.error("TL521", f"is damaged: {found}", "restore a copy; it was left as it is")

    def _take(self) -> psycopg.Connection[Any]:
        with self._lock:
            while self._idle:
                process, connection = self._idle.pop()
                # A connection belongs to the process that opened it: a fork leaves it alone.
                if process == os.getpid() and _lives(connection):
                    return connection
        import psycopg

        schema = self.address.schema
        try:
            connection = psycopg.connect(
                self.address.target,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="traceloc",
            )
        except psycopg.Error as error:
            hint = "check the address, and that the server runs"
            raise self.error("TL529", f"cannot be reached: {self._safe(error)}", hint) from None
        try:
            found = connection.execute(
                "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
            ).fetchone()
            path = f'"{schema}", {found[0] if found else "public"}'
            milliseconds = str(round(self.busy_seconds * 1000))
            connection.execute(
                "SELECT set_config('search_path', %s, false), set_config('lock_timeout', %s, false)"
                ", set_config('idle_in_transaction_session_timeout', '0', false)",
                (path, milliseconds),
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            if len(self._idle) < _IDLE:
                self._idle.append((os.getpid(), connection))
                return
        connection.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            import psycopg
        except ImportError as error:
            raise StoreError(
                f"a memory on PostgreSQL needs a package that is missing: {error}",
                code="TL532",
                hint="pip install 'traceloc[postgres]'",
            ) from error
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            message = f"other writers kept it for {self.busy_seconds:g} s"
            raise self.error("TL524", message, "try again") from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise self.error("TL523", f"cannot be written: {self._safe(error)}") from error
        except psycopg.errors.UndefinedTable as error:
            raise self.damaged(self._safe(error)) from error
        except psycopg.OperationalError as error:
            raise self.error("TL529", f"broke off: {self._safe(error)}", "try again") from None
        except psycopg.Error as error:
            raise self.error("TL523", f"refuses: {self._safe(error)}") from None

    def _safe(self, error: Exception) -> str:
        """The first line of a message, without what the address keeps secret."""
        line = (str(error).splitlines() or [type(error).__name__])[0][:300]
        with suppress(ValueError):
            parts = urlsplit(self.address.target)
            secrets = [parts.password, parts.netloc.rpartition("@")[0]]
            secrets += [v for k, v in parse_qsl(parts.query) if "pass" in k]
            for secret in sorted((each for each in secrets if each), key=len, reverse=True):
                line = line.replace(secret, "…")
        return line


def _lives(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server still knows a connection that lay idle."""
    import psycopg

    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        connection.close()
        return False
    return True


def _close_all(idle: list[tuple[int, psycopg.Connection[Any]]]) -> None:
    while idle:
        process, connection = idle.pop()
        if process == os.getpid():
            connection.close()


def _places(query: str) -> str:
    return query.replace("?", "%s")


def _plain(value: Any) -> Any:
    # PostgreSQL keeps no NUL in text; the row's own bytes still have it.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
