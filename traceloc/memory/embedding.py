"""Which embedder a memory speaks, and what happens when that changes.

Vectors of two embedders, or of two weightings of one, lie in different spaces. A memory is stamped
with the fingerprint of the one that made its vectors; another one embeds all rows anew, never some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast, get_args

from traceloc.contracts import Embedder, ModelEmbedder, WeighingEmbedder
from traceloc.errors import PluginError, StoreError
from traceloc.memory.store import SchemaStore, Shelf
from traceloc.registry import Registry

DEFAULT_EMBEDDER = "hashed"
FIRST_WEIGHING = 32
"""Rows from which on words are weighed; of fewer, rareness says nothing."""
LAST_WEIGHING = 100_000
"""Weights that so many rows gave stay as they are, until the memory is rebuilt."""

Told = Callable[[int, int], None]
"""Is told how many of how many rows are embedded."""


def find_embedder(name: str = DEFAULT_EMBEDDER, *, registry: Registry | None = None) -> Embedder:
    """The embedder of a name, or ``name:MODEL`` of one that runs models.

    Raises:
        PluginError: If there is none, it is broken, or it takes no model.
    """
    registry = registry or Registry()
    plugin, colon, model = name.partition(":")
    names = registry.names("embedders")
    if not colon or plugin not in names:
        return cast(Embedder, registry.get("embedders", name))
    embedder = registry.get("embedders", plugin)
    if not hasattr(embedder, "with_model"):
        raise PluginError(
            f"embedder {plugin!r} runs no model, and {model!r} was named",
            code="TL301",
            hint=f"there are: {', '.join(names)}",
        )
    return cast(ModelEmbedder, embedder).with_model(model)


def open_embedder(
    store: SchemaStore,
    name: str = DEFAULT_EMBEDDER,
    *,
    change: bool = True,
    on_progress: Told | None = None,
    registry: Registry | None = None,
) -> Embedder:
    """The embedder of a name as this memory has weighed it.

    Args:
        store: The memory.
        name: See :func:`find_embedder`.
        change: Embed the memory anew if another made its vectors.
        on_progress: Told of that.
        registry: Where embedders are found.

    Raises:
        StoreError: TL525 if another embedder made its vectors and it is not to be changed.
        PluginError: If there is no such embedder.
    """
    embedder = find_embedder(name, registry=registry)
    stamp = store.stamp()
    if stamp is None:
        return embedder
    if _weighs(embedder):
        weighed, weights = _split_state(store.state())
        if weighed:
            try:
                embedder = cast(WeighingEmbedder, embedder).with_state(weights)
            except ValueError:  # another embedder's state
                weighed = 0
    if embedder.fingerprint() == stamp:
        return embedder
    if not change:
        raise StoreError(
            f"the memory holds vectors of {stamp}, not of {embedder.fingerprint()}",
            code="TL525",
            hint="`traceloc memory rebuild` embeds it anew",
        )
    return embed_anew(store, find_embedder(name, registry=registry), on_progress=on_progress)


def embed_anew(
    store: SchemaStore, embedder: Embedder, *, on_progress: Told | None = None
) -> Embedder:
    """Weigh the words of a memory anew and embed every row again.

    Returns:
        The embedder with the new weights.

    Raises:
        StoreError: If the memory cannot be written; it is then as it was.
    """
    state = b""
    rows = _size(store)
    if _weighs(embedder) and rows >= FIRST_WEIGHING:
        weighing = cast(WeighingEmbedder, embedder)
        weights = weighing.weigh(_read_texts(store))
        state = b"%d\n%s" % (rows, weights)
        embedder = weighing.with_state(weights)
    store.restamp(embedder.fingerprint(), embedder.embed, state=state, on_progress=on_progress)
    return embedder


def reweigh_if_grown(
    store: SchemaStore, embedder: Embedder, *, on_progress: Told | None = None
) -> Embedder:
    """Weigh words again where the memory has doubled since the last time.

    Each row is so embedded about twice in all, however large the memory becomes.

    Args:
        store: The memory, stamped by ``embedder``.
        embedder: Of :func:`open_embedder`.
        on_progress: Told of rows that are embedded again.

    Returns:
        The embedder to go on with.
    """
    if not _weighs(embedder):
        return embedder
    weighed, _ = _split_state(store.state())
    if weighed >= LAST_WEIGHING or _size(store) < max(FIRST_WEIGHING, 2 * weighed):
        return embedder
    return embed_anew(store, embedder, on_progress=on_progress)


def _weighs(embedder: Embedder) -> bool:
    return hasattr(embedder, "weigh") and hasattr(embedder, "with_state")


def _split_state(state: bytes) -> tuple[int, bytes]:
    """How many rows were weighed, and the weights."""
    count, newline, weights = state.partition(b"\n")
    return (int(count), weights) if newline and count.isdigit() else (0, b"")


def _size(store: SchemaStore) -> int:
    return sum(store.count(shelf) for shelf in _shelves())


def _read_texts(store: SchemaStore) -> Iterator[str]:
    for shelf in _shelves():
        for row in store.rows(shelf):
            yield row.text


def _shelves() -> tuple[Shelf, ...]:
    return get_args(Shelf)
