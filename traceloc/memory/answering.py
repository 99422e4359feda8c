"""What a person's answer does to the memory: recalls are counted, failures taken out again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from traceloc.memory.learning import ordinary_rows, row_id
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.sketch import TraceSketch
from traceloc.memory.store import Row

if TYPE_CHECKING:
    from traceloc.memory.memory import FailureMemory


def count_answer(
    memory: FailureMemory,
    sketch: TraceSketch,
    native: int,
    *,
    right: bool,
    who: str = "unknown",
    at: datetime | None = None,
    note: str = "",
) -> list[ErrorSchema]:
    """Count an answer for the schemata recalled in a trace.

    Those recalled anywhere in it were hit; the one recalled at the answered step was right, or
    wrong.

    Returns:
        The one recalled at the answered step, if any.
    """
    with memory.lock:
        recalled = memory.recall(sketch).matches
        i = sketch.find(native)
        position = -1 if i is None else int(sketch.positions[i])
        answered = {match.schema.id for match in recalled.get(position, ())[:1]}
        hit = {each[0].schema.id for each in recalled.values() if each}
        moment = at or datetime.now(UTC)

        def count() -> list[ErrorSchema]:
            version = memory.store.version()
            put = []
            for row in memory.store.get(sorted(hit | answered)):
                if row.schema_ is None:
                    continue
                counts = row.schema_.counts
                mine = row.id in answered
                new = {
                    "hits": counts.hits + 1,
                    "confirmed": counts.confirmed + (mine and right),
                    "rejected": counts.rejected + (mine and not right),
                    "last_hit": moment,
                }
                put.append(_with_counts(row, new))
            if put:
                memory.change("hit", put=put, note=note, who=who, at=moment, after=version)
            return [row.schema_ for row in put if row.schema_ is not None and row.id in answered]

        return memory.repeat(count)


def forget_failures(
    memory: FailureMemory,
    trace: str,
    *,
    system: str,
    only: int | None = None,
    keep: Collection[int] = (),
    who: str = "unknown",
    note: str = "",
    cursor: int | None = None,
    source: str = "",
) -> int:
    """Take failures of a trace out of the memory again, where an answer was corrected.

    Args:
        memory: What is changed.
        trace: Hash of its content.
        system: Where it comes from.
        only: Native index of the one step that is meant; all if left out.
        keep: Native indices that stay failures.
        who: Who says so.
        note: For the log.
        cursor: Event of the label store this comes from.
        source: Which label store.

    Returns:
        How many were taken out.
    """

    def forget() -> int:
        version = memory.store.version()
        if only is not None:
            known = memory.store.get([row_id("remembered", system, trace, only)])
        else:
            rows = memory.store.rows("remembered", system=system)
            kept = {row_id("remembered", system, trace, native) for native in keep}
            known = [row for row in rows if row.trace == trace and row.id not in kept]
        if not known and cursor is None:
            return 0
        lost: dict[str, int] = {}
        for row in known:
            if row.belongs_to is not None:
                lost[row.belongs_to] = lost.get(row.belongs_to, 0) + 1
        put, remove = [], [row.id for row in known]
        for row in memory.store.get(sorted(lost)):
            if row.schema_ is None:
                continue
            seen = row.schema_.counts.seen - lost[row.id]
            if seen > 0:
                put.append(_with_counts(row, {"seen": seen}))
            else:
                remove.append(row.id)
        memory.change(
            "reject",
            put=put,
            remove=remove,
            note=note,
            who=who,
            cursor=cursor,
            source=source,
            after=version,
        )
        return len(known)

    with memory.lock:
        return memory.repeat(forget)


def add_ordinary(
    memory: FailureMemory,
    sketch: TraceSketch,
    native: int,
    *,
    who: str = "unknown",
    note: str = "",
) -> None:
    """Remember a step as ordinary, because somebody said that it is no failure."""
    with memory.lock:
        others = {step.native for step in sketch.steps if step.native != native}
        for row, place in ordinary_rows(sketch, others, limit=1, room=1):
            vectors = memory.embed([sketch.steps[place].text])
            memory.change("reject", put=[row], vectors=vectors, note=note, who=who)


def _with_counts(row: Row, counts: dict[str, object]) -> Row:
    if row.schema_ is None:
        return row
    new = row.schema_.counts.model_copy(update=counts)
    return row.model_copy(update={"schema_": row.schema_.model_copy(update={"counts": new})})
