"""How schemata come about: a failure is new and founds one, or is another sighting of one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.categories import normalise_category
from traceloc.memory.schema import (
    MAX_SIGHTINGS,
    Counts,
    ErrorSchema,
    Origin,
    Sighting,
    name_schema,
)
from traceloc.memory.settings import MemorySettings
from traceloc.memory.sketch import TraceSketch
from traceloc.memory.store import Neighbour, Row, SchemaStore, schema_row
from traceloc.quoting import shorten

Vectors = NDArray[np.float32]

MAX_HEURISTICS = 6
_TITLE = 100
_LOOKED_AT = 8
"""Neighbours among which one of the same sort is looked for."""


class Lesson(NamedTuple):
    """What somebody teaches about a trace beside the step."""

    origin: Origin
    category: str | None = None
    mast: str | None = None
    agentrx: str | None = None
    fix: str | None = None
    heuristics: tuple[str, ...] = ()
    at: datetime | None = None
    whole: bool = False
    """Whether it is all there is to say: what was said of the same failure before then falls."""


class Taught(NamedTuple):
    """What a failure did to the memory."""

    put: list[Row]
    vectors: Vectors
    remove: list[str]
    schema: ErrorSchema
    new: bool
    """Whether it founded the schema."""


def make_lesson(
    origin: Origin,
    *,
    category: str | None = None,
    fix: str | None = None,
    at: datetime | None = None,
    whole: bool = False,
) -> Lesson:
    """A lesson whose category has its names in MAST and AgentRx, where it has any."""
    known = normalise_category(category) if category else None
    names: dict[str, str | None] = {}
    if known is not None:
        other = "agentrx" if known.taxonomy == "mast" else "mast"
        names = {known.taxonomy: known.name, other: known.nearest}
    mast, agentrx = names.get("mast"), names.get("agentrx")
    return Lesson(origin, category, mast, agentrx, fix, at=at, whole=whole)


def row_id(shelf: str, system: str, trace: str, native: int) -> str:
    """Id of a step on a shelf: the same step of the same trace always gets the same."""
    content = f"{shelf}\x1f{system}\x1f{trace}\x1f{native}".encode("utf-8", "replace")
    return shelf[0].upper() + hashlib.blake2b(content, digest_size=9).hexdigest()


def same_sort(schema: ErrorSchema, *, environment: bool) -> bool:
    """Whether both are what an agent did, or both what a tool gave back."""
    mine = schema.signature.kind == "result" or schema.signature.role == "tool"
    return mine == environment


def nearest_of_sort(
    store: SchemaStore,
    neighbours: Sequence[Neighbour],
    *,
    environment: bool,
    above: float,
) -> tuple[ErrorSchema, Row, float] | None:
    """The nearest schema of the same sort that is near enough."""
    near = [each for each in neighbours if each.similarity >= above]
    similarity = {each.id: each.similarity for each in near}
    for row in store.get([each.id for each in near]):
        if row.schema_ is not None and same_sort(row.schema_, environment=environment):
            return row.schema_, row, similarity[row.id]
    return None


def teach(
    store: SchemaStore,
    sketch: TraceSketch,
    i: int,
    vectors: Vectors,
    *,
    lesson: Lesson,
    members: Mapping[str, Sequence[str]],
    settings: MemorySettings,
    stamp: str,
) -> Taught:
    """Make a failure part of the memory: rows to put, none of them written yet.

    Args:
        store: The memory as it is.
        sketch: The trace.
        i: Position of the failing step in the sketch.
        vectors: Of every step of the sketch.
        lesson: What is known of the failure.
        members: Ids of the remembered failures of each schema.
        settings: How near is another sighting.
        stamp: Of the embedder.
    """
    step = sketch.steps[i]
    query = vectors[i : i + 1]
    (neighbours,) = store.nearest(
        query, k=_LOOKED_AT, shelf="schema", system=sketch.system, stamp=stamp
    )
    sighting = Sighting(locator=sketch.locate(i), origin=lesson.origin, at=lesson.at)
    found = nearest_of_sort(
        store, neighbours, environment=step.environment, above=settings.merge_above
    )
    remembered = Row(
        id=row_id("remembered", sketch.system, sketch.trace, step.native),
        shelf="remembered",
        system=sketch.system,
        text=step.text,
        trace=sketch.trace,
        group=sketch.group,
        score=step.score,
    )
    if found is None:
        schema = _found_schema(sketch, i, lesson, sighting)
        # A distilled schema may look otherwise by now than when its id was made.
        found = next(
            ((row.schema_, row, 1.0) for row in store.get([schema.id]) if row.schema_), None
        )
    if found is None:
        row = schema_row(schema, trace=sketch.trace, group=sketch.group)
        vector = query[0]
    else:
        known, old, _ = found
        schema = _see_again(known, sketch, i, lesson, sighting)
        row = old.model_copy(update={"schema_": schema})
        if old.trace != sketch.trace:
            row = row.model_copy(update={"trace": None})
        if old.group != sketch.group:
            row = row.model_copy(update={"group": None})
        vector = store.vectors([old.id])[0]
    remembered = remembered.model_copy(update={"belongs_to": schema.id})
    put, rows, remove = [row], [vector], []
    kept = sorted({*members.get(schema.id, ()), remembered.id})
    if len(kept) > settings.remembered_per_schema:
        # Ids are hashes, so the smallest are an even sample of all there ever were.
        remove = kept[settings.remembered_per_schema :]
    if remembered.id not in remove:
        put.append(remembered)
        rows.append(query[0])
    remove = [id for id in remove if id != remembered.id]
    return Taught(put, np.stack(rows), remove, schema, found is None)


def ordinary_rows(
    sketch: TraceSketch, failing: Collection[int], *, limit: int, room: int
) -> list[tuple[Row, int]]:
    """An even sample of the steps that were no failure, with their positions in the sketch."""
    others = [i for i, step in enumerate(sketch.steps) if step.native not in failing and step.text]
    limit = max(min(limit, room), 0)
    if len(others) > limit:
        places = np.linspace(0, len(others) - 1, limit).round().astype(np.int64)
        others = [others[place] for place in places.tolist()]
    return [
        (
            Row(
                id=row_id("ordinary", sketch.system, sketch.trace, sketch.steps[i].native),
                shelf="ordinary",
                system=sketch.system,
                text=sketch.steps[i].text,
                trace=sketch.trace,
                group=sketch.group,
                score=sketch.steps[i].score,
            ),
            i,
        )
        for i in others
    ]


def title_of(text: str, tool: str | None, category: str | None) -> str:
    """One line for a reader, from what is known."""
    head = category or (f"{tool}" if tool else "")
    words = shorten(text, _TITLE)
    return f"{head}: {words}" if head else words


def _found_schema(sketch: TraceSketch, i: int, lesson: Lesson, sighting: Sighting) -> ErrorSchema:
    signature = sketch.signature(i)
    return ErrorSchema(
        id=name_schema(sketch.system, signature),
        system=sketch.system,
        title=title_of(signature.text, signature.tool, lesson.category),
        signature=signature,
        context=sketch.context(i),
        heuristics=lesson.heuristics[:MAX_HEURISTICS],
        mast=lesson.mast,
        agentrx=lesson.agentrx,
        category=lesson.category,
        fix=lesson.fix,
        origin=lesson.origin,
        sightings=(sighting,),
        counts=Counts(seen=1),
        created=lesson.at or datetime.now(UTC),
    )


def _category_of(known: ErrorSchema, lesson: Lesson) -> dict[str, str | None]:
    """The first category a person gave, with its names; it outweighs what a judge made of it."""
    first, second = (known, lesson) if known.category else (lesson, known)
    return {
        "category": first.category or second.category,
        "mast": first.mast or second.mast,
        "agentrx": first.agentrx or second.agentrx,
    }


def amend(known: ErrorSchema, lesson: Lesson) -> ErrorSchema:
    """The schema with what somebody says anew of a failure that is remembered already.

    A schema of several failures keeps what the new word leaves out: others may have said it.
    """
    if not lesson.whole or known.counts.seen > 1:
        said = {**_category_of(known, lesson), "fix": lesson.fix or known.fix}
        return known.model_copy(update=said)
    said = {"fix": lesson.fix}
    if known.category or lesson.category:
        said |= {"category": lesson.category, "mast": lesson.mast, "agentrx": lesson.agentrx}
    text, tool = known.signature.text, known.signature.tool
    if known.title == title_of(text, tool, known.category):
        said["title"] = title_of(text, tool, lesson.category)
    return known.model_copy(update=said)


def _see_again(
    known: ErrorSchema, sketch: TraceSketch, i: int, lesson: Lesson, sighting: Sighting
) -> ErrorSchema:
    older = [each for each in known.sightings if each.locator != sighting.locator]
    questions = dict.fromkeys([*known.heuristics, *lesson.heuristics])
    return known.model_copy(
        update={
            "sightings": (*older, sighting)[-MAX_SIGHTINGS:],
            "counts": known.counts.model_copy(
                update={
                    "seen": known.counts.seen + 1,
                    "last_hit": lesson.at or known.counts.last_hit,
                }
            ),
            **_category_of(known, lesson),
            # The newest fix is the one that worked on the newest version.
            "fix": lesson.fix or known.fix,
            "heuristics": tuple(questions)[:MAX_HEURISTICS],
        }
    )
