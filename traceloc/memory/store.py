"""What a backend of the failure memory must do: rows, vectors, and a log that can be undone.

The life of schemata (merging, distilling, evicting) is decided above, in
:mod:`traceloc.memory`; a backend applies changes and finds neighbours. Each change is one
transaction: ``kill -9`` at any point loses nothing that was committed, and half a change is never
seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from traceloc.memory.schema import ErrorSchema
from traceloc.trace import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shelf = Literal["schema", "ordinary", "remembered"]
"""``schema``: error schemata. ``ordinary``: masked steps that were no failure, to contrast with.
``remembered``: single failures as they were seen, on which a distillation is replayed."""

ChangeKind = Literal[
    "learn", "merge", "distil", "lesson", "evict", "confirm", "reject", "hit", "import", "undo"
]


class Row(Document):
    """One entry of a shelf. Its vector is kept beside it."""

    id: str
    shelf: Shelf
    system: str | None
    text: str
    """What was embedded."""
    schema_: ErrorSchema | None = None
    """The schema, on the shelf of that name."""
    belongs_to: str | None = None
    """Id of the schema a remembered failure was merged into."""
    trace: str | None = None
    """Content hash of the trace it comes from: a trace is never its own neighbour."""
    group: str | None = None
    """Its question, so that an evaluation can keep groups apart."""
    score: float | None = None
    """Log-odds the ranker alone gave the step when it was learned: a vote must be earned."""


class Change(Document):
    """What happened to the memory, and everything needed to take it back."""

    id: int
    """Rises with time; never used twice."""
    at: datetime
    who: str
    kind: ChangeKind
    note: str = ""
    put: tuple[str, ...] = ()
    """Ids of rows added or replaced."""
    removed: tuple[str, ...] = ()
    undoes: int | None = None
    undone: bool = False


def schema_row(schema: ErrorSchema, *, trace: str | None = None, group: str | None = None) -> Row:
    """The row of a schema, found by what its failing step says.

    Args:
        schema: What is kept.
        trace: The trace it is known from, if it is only one.
        group: The task, if it is only one.
    """
    return Row(
        id=schema.id,
        shelf="schema",
        system=schema.system,
        text=schema.signature.text,
        schema_=schema,
        trace=trace,
        group=group,
    )


class Neighbour(NamedTuple):
    """A row near a query."""

    id: str
    similarity: float
    """Cosine, from -1 to 1."""


class SchemaStore(Protocol):
    """Rows and vectors of one memory."""

    def apply(
        self,
        kind: ChangeKind,
        *,
        put: Sequence[Row] = (),
        vectors: NDArray[np.float32] | None = None,
        stamp: str | None = None,
        remove: Sequence[str] = (),
        note: str = "",
        who: str = "unknown",
        at: datetime | None = None,
        cursor: int | None = None,
        source: str = "",
        after: int | None = None,
    ) -> Change:
        """Add or replace rows and remove others, in one transaction.

        Args:
            kind: What this is to the log.
            put: Rows, each id once.
            vectors: Theirs, ``(len(put), dimension)``, kept in half precision. ``None`` keeps the
                vectors they have: enough where only counts or prose changed, but not ``text``.
            stamp: Fingerprint of the embedder that made ``vectors``; needed with them. The first
                one stamps the memory.
            remove: Ids; unknown ones are passed over.
            note: A line for the log.
            who: Who asked for it.
            at: When; now if left out.
            cursor: Newest event of the label store that this change takes in.
            source: Which label store that is; several may feed one memory.
            after: The :meth:`version` on which the rows rest. Whoever reads a row, changes it and
                puts it back says so, and begins again if somebody was faster.

        Raises:
            StoreError: If the memory cannot be written; if ``after`` is given and not the newest
                change (TL534), nothing is written; or the vectors come from another embedder
                than those it has (TL525): nothing is written then, re-embed and try again.
        """
        ...

    def undo(self, change: int | None = None, *, who: str = "unknown") -> Change:
        """Take back a change, the newest if none is named; the log keeps both.

        The newest that stands, where none is named; counted hits are passed over then. An undo is
        a change of its own and cannot be undone: do it again instead.

        Raises:
            StoreError: If there is nothing to undo (TL526), later changes rest on it (TL527), or
                it is so old that its before-image is gone (TL528).
        """
        ...

    def log(self, *, after: int = 0, limit: int | None = None) -> list[Change]:
        """Changes in order, from the one after ``after`` on."""
        ...

    def cursor(self, source: str = "") -> int:
        """Newest event of a label store that was taken in; 0 before any. No undo moves it."""
        ...

    def get(self, ids: Sequence[str]) -> list[Row]:
        """Rows by id, in the order asked for; unknown ids are left out."""
        ...

    def rows(self, shelf: Shelf, *, system: str | None = None) -> Iterator[Row]:
        """Rows of a shelf by id; of one system, or all if ``None``."""
        ...

    def count(self, shelf: Shelf, *, system: str | None = None) -> int:
        """How many rows a shelf has."""
        ...

    def vectors(self, ids: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of rows that exist, ``(len(ids), dimension)``, in half precision.

        Raises:
            StoreError: If there is no such row (TL531).
        """
        ...

    def nearest(
        self,
        queries: NDArray[np.float32],
        *,
        k: int,
        shelf: Shelf = "schema",
        system: str | None = None,
        exclude_trace: str | None = None,
        stamp: str | None = None,
    ) -> list[list[Neighbour]]:
        """The up to ``k`` nearest rows of each query, in one batch.

        Most similar first; equals by id, so that an index's order never shows; no padding.

        Args:
            queries: Shape ``(n, dimension)``; an all-zero query has no neighbours.
            k: How many.
            shelf: Where to look.
            system: Only rows of this system; all if ``None``.
            exclude_trace: Leave out rows from this trace.
            stamp: Fingerprint of the embedder that made the queries, if it is to be compared.

        Raises:
            StoreError: If the queries come from another embedder than the vectors (TL525).
        """
        ...

    def stamp(self) -> str | None:
        """Fingerprint of the embedder that made the vectors; ``None`` while there are none."""
        ...

    def state(self) -> bytes:
        """What that embedder learned from this memory (weights of words), empty if nothing."""
        ...

    def restamp(
        self,
        fingerprint: str,
        embed: Callable[[Sequence[str]], NDArray[np.float32]],
        *,
        state: bytes = b"",
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Replace every vector, in one transaction, because the embedder changed.

        Other writers wait meanwhile, so that no row is left in the old space.

        Args:
            fingerprint: The new stamp.
            embed: Gives a row for each text; called with batches.
            state: What the embedder learned.
            on_progress: Told how many of how many are done.
        """
        ...

    def version(self) -> int:
        """Id of the newest change: equal numbers mean equal memories."""
        ...

    def check(self) -> list[str]:
        """What is wrong with it, in sentences; empty if nothing is."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
