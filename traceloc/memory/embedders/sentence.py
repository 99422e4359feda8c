"""Sentence encoders of the package ``sentence-transformers``, by name or path of a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import StoreError
from traceloc.labels.home import find_home
from traceloc.memory.embedders.cache import EmbeddingCache

DEFAULT_MODEL = "all-MiniLM-L6-v2"
CACHE_FILE = "embeddings.db"
_BATCH = 32


class SentenceEmbedder:
    """One model; nothing is imported or loaded before a text must be embedded.

    Args:
        model: Name on the model hub, or a folder.
        cache: Vectors of earlier calls; beside the label store if left out.
    """

    name = "sentence-transformers"
    api_version = 1

    def __init__(self, model: str = DEFAULT_MODEL, *, cache: EmbeddingCache | None = None) -> None:
        self.model = model
        self._cache = cache

    def with_model(self, model: str) -> SentenceEmbedder:
        """The embedder with another model."""
        return SentenceEmbedder(model, cache=self._cache)

    def fingerprint(self) -> str:
        """Of a folder the hash of its files, of a name its revision: moved models stay the same.

        Raises:
            StoreError: TL533 if there is no such model.
        """
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text; all zero for a blank one.

        Raises:
            StoreError: TL532 if the package is missing, TL533 if the model cannot be loaded.
        """
        cache = self._cache or EmbeddingCache(find_home() / CACHE_FILE)
        distinct = list(dict.fromkeys(text for text in texts if text.strip()))
        known = cache.get(self._fingerprint, distinct)
        unknown = [text for text in distinct if text not in known]
        if unknown:
            made = dict(zip(unknown, self._encode(unknown), strict=True))
            cache.put(self._fingerprint, made)
            known |= made
        dimension = len(next(iter(known.values()))) if known else self._dimension
        blank = np.zeros(dimension, "<f2")
        kept = np.array([known.get(text, blank) for text in texts], np.float32)
        kept = kept.reshape(len(texts), dimension)
        lengths = np.linalg.norm(kept, axis=1, keepdims=True)
        np.divide(kept, lengths, out=kept, where=lengths > 0)
        return kept

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float16]:
        rows = self._encoder.encode(
            list(texts), batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
        )
        # In half precision, as a cache and a memory keep it: so a text has one vector, not two.
        return np.asarray(rows, dtype="<f2")

    @cached_property
    def _fingerprint(self) -> str:
        folder = Path(self.model).expanduser()
        if folder.is_dir():
            return f"{self.name} files={_hash_folder(folder)}"
        revision = _find_revision(self.model)
        if revision is None:
            _ = self._encoder  # fetches it, if that is allowed
            revision = _find_revision(self.model) or "unknown"
        return f"{self.name} model={self.model} revision={revision}"

    @cached_property
    def _dimension(self) -> int:
        return int(self._encode(["a"]).shape[1])

    @cached_property
    def _encoder(self) -> Any:
        folder = Path(self.model).expanduser()
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise StoreError(
                f"embedder {self.name!r} needs a package that is missing: {error}",
                code="TL532",
                hint="pip install 'traceloc[embeddings]', or use the embedder 'hashed'",
            ) from error
        try:
            # No code that comes with a model is run, and weights are read as data.
            with _without_bars():
                return SentenceTransformer(
                    str(folder) if folder.is_dir() else self.model,
                    device="cpu",
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )
        except Exception as error:  # the boundary to a library that raises what it likes
            raise StoreError(
                f"the model {self.model!r} cannot be loaded: {_first_line(error)}",
                code="TL533",
                hint="name a folder: sentence-transformers:PATH",
            ) from error


@contextmanager
def _without_bars() -> Iterator[None]:
    """The library draws progress bars, whether somebody is looking or not."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _hash_folder(folder: Path) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for path in _list_model(folder):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
    return digest.hexdigest()


def _list_model(folder: Path) -> Iterator[Path]:
    """Files that shape vectors; notes and pictures do not."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".safetensors", ".txt", ".model"} and path.is_file():
            yield path


def _find_revision(model: str) -> str | None:
    """Commit of a model of the hub that lies on this machine."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    name = model if "/" in model else f"sentence-transformers/{model}"
    try:
        found = try_to_load_from_cache(name, "config.json")
    except ValueError:  # a name no repository can have
        return None
    return Path(found).parent.name if isinstance(found, str) else None


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"
