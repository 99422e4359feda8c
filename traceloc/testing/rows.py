"""Rows and vectors that the kit puts into a memory, the same on every run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from traceloc.memory.schema import ErrorSchema, Signature, name_schema
from traceloc.memory.store import Row

WIDTH = 8
_WORDS = ("Error: no such sku", "日本 🏮 \u202e", "' OR 1=1; --", "a\x00b", "x" * 600)


def make_rows(count: int, *, prefix: str = "r") -> list[Row]:
    """Schemata of two systems, each from a trace of its own, with hostile words in some."""
    rows = []
    for number in range(count):
        words = _WORDS[number % len(_WORDS)]
        system = "shop" if number % 2 else None
        signature = Signature(text=f"{prefix}{number} {words}")
        schema = ErrorSchema(
            id=name_schema(system, signature),
            system=system,
            title=words[:40],
            signature=signature,
            origin="labelled",
        )
        rows.append(
            Row(
                id=schema.id,
                shelf="schema",
                system=system,
                text=signature.text,
                schema_=schema,
                trace=f"trace-{number}",
            )
        )
    return rows


def make_vectors(count: int) -> NDArray[np.float32]:
    """Unit vectors that are all different, the same on every run."""
    angles = np.arange(1, count + 1)[:, None] * np.arange(1, WIDTH + 1)[None, :] * 0.7
    rows = np.sin(angles)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def embed_wide(texts: Sequence[str]) -> NDArray[np.float32]:
    """Another embedder, of another width: a text that starts with ``r2`` is the third axis."""
    return np.eye(10, WIDTH + 3, dtype=np.float32)[[int(text[1]) for text in texts]]
