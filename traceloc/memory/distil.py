"""Distillation: many sightings of one failure become one schema that says what they share.

The medoid of the members stands for them, with the signals most of them show and a template of
their words. It replaces what was there only if replay on the remembered failures does not get
worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.learning import MAX_HEURISTICS, same_sort, title_of
from traceloc.memory.schema import MAX_SIGHTINGS, Counts, ErrorSchema, name_schema
from traceloc.memory.settings import MemorySettings
from traceloc.memory.store import Row, SchemaStore, schema_row
from traceloc.memory.template import align_texts
from traceloc.memory.view import SystemView, replay, view_system

Vectors = NDArray[np.float32]
_TOLERANCE = 1e-9


class Distilled(NamedTuple):
    """A change that replay allowed."""

    put: list[Row]
    vectors: Vectors
    remove: list[str]
    schema: ErrorSchema
    before: float
    """Replay before, 0 to 1."""
    after: float


def distil_schema(
    store: SchemaStore, schema: ErrorSchema, *, settings: MemorySettings
) -> Distilled | None:
    """Distil a schema with those near it, or alone, or not at all: what replay allows.

    Args:
        store: The memory; nothing is written.
        schema: A hot one.
        settings: How near, and how much to replay.
    """
    if schema.system is None:
        return None
    view = view_system(store, schema.system)
    rows = [row for row in store.rows("schema", system=schema.system) if row.schema_ is not None]
    vectors = store.vectors([row.id for row in rows])
    place = {row.id: i for i, row in enumerate(rows)}
    if schema.id not in place:
        return None
    before = replay(view, vectors, [row.trace for row in rows], settings)
    similar = vectors @ vectors[place[schema.id]]
    environment = schema.signature.kind == "result" or schema.signature.role == "tool"
    near = [
        i
        for i, row in enumerate(rows)
        if similar[i] >= settings.cluster_above
        and row.schema_ is not None
        and same_sort(row.schema_, environment=environment)
    ]
    # First the whole cluster, then the schema with its own members only.
    for chosen in [near, [place[schema.id]]] if len(near) > 1 else [near]:
        made = _condense(view, [rows[i] for i in chosen], settings)
        if made is None:
            continue
        row, vector, members = made
        others = [i for i in range(len(rows)) if i not in set(chosen)]
        after = replay(
            view,
            np.concatenate([vectors[others], vector[None]]),
            [*(rows[i].trace for i in others), row.trace],
            settings,
        )
        if np.isnan(before) or after >= before - _TOLERANCE:
            moved = [m.model_copy(update={"belongs_to": row.id}) for m in members]
            put = [row, *moved]
            kept = np.concatenate([vector[None], store.vectors([m.id for m in moved])])
            remove = [rows[i].id for i in chosen if rows[i].id != row.id]
            if row.schema_ == rows[chosen[0]].schema_ and not remove:
                return None
            assert row.schema_ is not None  # noqa: S101 - for the type checker
            return Distilled(put, kept, remove, row.schema_, before, after)
    return None


def _condense(
    view: SystemView, rows: Sequence[Row], settings: MemorySettings
) -> tuple[Row, Vectors, list[Row]] | None:
    """One row for several schemata and their members, its vector, and the members."""
    ids = {row.id for row in rows}
    inside = [i for i, row in enumerate(view.rows) if view.failing[i] and row.belongs_to in ids]
    schemata = [row.schema_ for row in rows if row.schema_ is not None]
    if not inside or not schemata:
        return None
    vectors = view.vectors[inside]
    medoid = int(np.argmax(np.round((vectors @ vectors.T).mean(axis=1), 6)))
    members = [view.rows[i] for i in inside]
    schema = _join(schemata, members[medoid].text, members, settings)
    traces = {row.trace for row in members}
    groups = {row.group for row in members}
    row = schema_row(
        schema,
        trace=next(iter(traces)) if len(traces) == 1 else None,
        group=next(iter(groups)) if len(groups) == 1 else None,
    )
    return row, vectors[medoid], members


def _join(
    schemata: Sequence[ErrorSchema], text: str, members: Sequence[Row], settings: MemorySettings
) -> ErrorSchema:
    by_weight = sorted(schemata, key=lambda s: (-s.counts.seen, s.id))
    first = by_weight[0]
    total = sum(s.counts.seen for s in schemata)
    shown: Counter[str] = Counter()
    for each in schemata:
        for signal in each.signature.signals:
            shown[signal] += each.counts.seen
    shared = [name for name, n in shown.most_common() if n >= settings.shared_by * total]
    signature = first.signature.model_copy(update={"text": text, "signals": tuple(shared)})
    texts = [text, *(row.text for row in members if row.text != text)]
    sightings = sorted(
        (sighting for each in schemata for sighting in each.sightings),
        key=lambda s: (s.at is not None, s.at.timestamp() if s.at else 0.0, s.locator),
    )
    category = _first(s.category for s in by_weight)
    told = next((s for s in by_weight if s.judge is not None), None)
    title = title_of(text, signature.tool, category)
    context = first.context
    if told is not None:
        title, context = told.title, context.model_copy(update={"when": told.context.when})
    return first.model_copy(
        update={
            # The id stays where there is one schema: what pointed at it still does.
            "id": first.id if len(schemata) == 1 else name_schema(first.system, signature),
            "signature": signature,
            "title": title,
            "context": context,
            "judge": None if told is None else told.judge,
            "template": align_texts(texts),
            "heuristics": tuple(
                dict.fromkeys(question for s in by_weight for question in s.heuristics)
            )[:MAX_HEURISTICS],
            "category": category,
            "mast": _first(s.mast for s in by_weight),
            "agentrx": _first(s.agentrx for s in by_weight),
            "fix": _first(s.fix for s in by_weight),
            "origin": "distilled",
            "sightings": tuple(sightings[-MAX_SIGHTINGS:]),
            "counts": Counts(
                seen=total,
                hits=sum(s.counts.hits for s in schemata),
                confirmed=sum(s.counts.confirmed for s in schemata),
                rejected=sum(s.counts.rejected for s in schemata),
                last_hit=max(
                    (s.counts.last_hit for s in schemata if s.counts.last_hit), default=None
                ),
            ),
            "created": min((s.created for s in schemata if s.created), default=None),
        }
    )


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value is not None), None)
