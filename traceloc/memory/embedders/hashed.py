"""The default embedder: hashed word and character n-grams, weighed by how rare they are.

No model and no download; a step takes a fraction of a millisecond. Each text is a bag of words,
pairs of neighbouring words, and pieces of 3 and 4 characters within words. A gram counts with
``1 + log(times)``, and with its inverse document frequency once the memory has been weighed. The
bag is then projected: each gram adds its weight, with a sign, at two places its hash names
(a count sketch: Charikar, Chen, Farach-Colton 2002), so cosines are kept on average.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from traceloc.errors import PluginError

DIMENSION = 384
DIMENSIONS = range(16, 4097)
MAX_CHARACTERS = 8192
"""What is read of a text."""
MAX_WEIGHED = 100_000
"""Texts of a memory that are counted; more do not change the weights of words."""

_MASK = (1 << 64) - 1
_BASE = 0x9E37_79B9_7F4A_7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_BUCKETS = 1 << 16
_STEPS = 16.0
"""Weights are kept in steps of a sixteenth."""
_HEAD = b"traceloc-hashed-1\n"
_BATCH = 64
_WORD_SHARE = 0.7
_GRAMS = (3, 4)
_BETWEEN = re.compile(r"[^\w<>]+")


class _Grams(NamedTuple):
    """The different grams of a batch, sorted by text and hash."""

    texts: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    times: NDArray[np.int64]


class HashedEmbedder:
    """Hashed n-grams.

    Args:
        state: Weights of :meth:`weigh`; without them all grams weigh the same.
        dimension: Of the vectors. The noise of the projection is ``1 / sqrt(dimension)``.

    Raises:
        ValueError: If the state is none of this embedder's.
    """

    name = "hashed"
    api_version = 1

    def __init__(self, state: bytes = b"", *, dimension: int = DIMENSION) -> None:
        self._dimension = dimension
        self._weights = _read_state(state) if state else None
        weighed = hashlib.blake2b(state, digest_size=8).hexdigest() if state else "none"
        self._fingerprint = f"hashed/1 dimension={dimension} idf={weighed}"

    def fingerprint(self) -> str:
        """Version, dimension and the hash of the weights."""
        return self._fingerprint

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit row per text; all zero where there is no word."""
        if not len(texts):
            return np.zeros((0, self._dimension), np.float32)
        parts = [self._embed(batch) for batch in _batches(texts)]
        return np.concatenate(parts)

    def weigh(self, texts: Iterable[str]) -> bytes:
        """In how many of the texts each gram stands, as weights."""
        seen = np.zeros(_BUCKETS, np.int64)
        count = 0
        reader = islice(texts, MAX_WEIGHED)
        while batch := list(islice(reader, _BATCH)):
            for grams in _read_grams(batch):
                # Two grams of one text in one bucket count once.
                keys = np.unique(grams.texts * _BUCKETS + _bucket(grams.hashes))
                seen += np.bincount(keys % _BUCKETS, minlength=_BUCKETS)
            count += len(batch)
        weights = np.log((1 + count) / (1 + np.minimum(seen, count))) + 1
        steps = np.clip(np.round(weights * _STEPS), 1, 255).astype(np.uint8)
        return _HEAD + zlib.compress(steps.tobytes(), 9)

    def with_state(self, state: bytes) -> HashedEmbedder:
        """The embedder with these weights."""
        return HashedEmbedder(state, dimension=self._dimension)

    def with_model(self, model: str) -> HashedEmbedder:
        """The embedder with another dimension: ``hashed:1024`` is truer, and slower to search.

        Raises:
            PluginError: If that is no dimension.
        """
        if not model.isascii() or not model.isdigit() or int(model) not in DIMENSIONS:
            raise PluginError(
                f"embedder 'hashed' takes a dimension from {DIMENSIONS.start} to "
                f"{DIMENSIONS.stop - 1}, not {model!r}",
                code="TL301",
            )
        return HashedEmbedder(dimension=int(model))

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        total = np.zeros((len(texts), self._dimension))
        shares = (_WORD_SHARE, 1 - _WORD_SHARE)
        for share, grams in zip(shares, _read_grams(texts), strict=True):
            weights = 1 + np.log(grams.times)
            if self._weights is not None:
                weights *= self._weights[_bucket(grams.hashes)]
            squares = np.bincount(grams.texts, weights**2, minlength=len(texts))
            weights *= np.sqrt(share / np.maximum(squares, 1e-12))[grams.texts]
            for shift in (0, 20):
                bits = grams.hashes >> np.uint64(shift)
                places = ((bits >> np.uint64(1)) & np.uint64(0x7FFFF)) % np.uint64(self._dimension)
                signed = np.where(bits & np.uint64(1), weights, -weights)
                flat = grams.texts * self._dimension + places.astype(np.int64)
                summed = np.bincount(flat, signed, minlength=total.size)
                total += summed.reshape(total.shape)
        lengths = np.linalg.norm(total, axis=1, keepdims=True)
        unit = np.zeros(total.shape, np.float32)
        np.divide(total, lengths, out=unit, where=lengths > 1e-9, casting="same_kind")
        return unit


def _read_state(state: bytes) -> NDArray[np.float64]:
    try:
        if not state.startswith(_HEAD):
            raise ValueError("it begins otherwise")
        reader = zlib.decompressobj()
        table = reader.decompress(state[len(_HEAD) :], _BUCKETS + 1)
        if len(table) != _BUCKETS:
            raise ValueError(f"it has {len(table):,} weights, expected {_BUCKETS:,}")
    except (zlib.error, ValueError) as error:
        raise ValueError(f"these are no weights of the hashed embedder: {error}") from error
    return np.frombuffer(table, np.uint8) / _STEPS


def _read_grams(texts: Sequence[str]) -> tuple[_Grams, _Grams]:
    """Grams of words, and grams of characters."""
    padded = [f" {_BETWEEN.sub(' ', text[:MAX_CHARACTERS].lower()).strip()} " for text in texts]
    lengths = [len(each) for each in padded]
    letters = np.frombuffer("".join(padded).encode("utf-32-le", "replace"), np.uint32)
    owner = np.repeat(np.arange(len(texts)), lengths)
    sums, unshift = _prefix_sums(letters.astype(np.uint64))
    space = letters == 32

    def hash_spans(begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.uint64]:
        return _mix((sums[end] - sums[begin]) * unshift[begin])

    begin = np.flatnonzero(space[:-1] & ~space[1:]) + 1
    end = np.flatnonzero(~space[:-1] & space[1:]) + 1
    words, texts_of = hash_spans(begin, end), owner[begin]
    beside = np.flatnonzero(texts_of[:-1] == texts_of[1:]) if len(begin) else begin
    pairs = _mix(words[beside] * np.uint64(_INVERSE) + words[beside + 1])
    word_grams = _count(
        np.concatenate([texts_of, texts_of[beside]]), np.concatenate([words, pairs])
    )
    owners, hashes = [], []
    for width in _GRAMS:
        first = np.arange(max(len(letters) - width + 1, 0))
        whole = np.ones(len(first), np.bool_)
        for offset in range(1, width - 1):
            whole &= ~space[first + offset]
        first = first[whole]
        owners.append(owner[first])
        hashes.append(hash_spans(first, first + width) ^ np.uint64(width))
    return word_grams, _count(np.concatenate(owners), np.concatenate(hashes))


def _prefix_sums(letters: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Sums of ``letter * base**place``, and what takes a place out again, modulo 2**64."""
    count = len(letters)
    powers = np.full(count, _BASE, np.uint64)
    back = np.full(count, _INVERSE, np.uint64)
    if count:
        powers[0] = back[0] = 1
    powers, back = np.cumprod(powers, dtype=np.uint64), np.cumprod(back, dtype=np.uint64)
    sums = np.zeros(count + 1, np.uint64)
    np.cumsum((letters + np.uint64(1)) * powers, out=sums[1:], dtype=np.uint64)
    return sums, back


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all others (the finalizer of MurmurHash3)."""
    for factor in (0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))


def _count(owners: NDArray[np.int64], hashes: NDArray[np.uint64]) -> _Grams:
    # One sort of one array: the text in the top bits costs the hash six of its 64.
    room = np.uint64(_BATCH.bit_length())
    keys = (owners.astype(np.uint64) << (np.uint64(64) - room)) | (hashes >> room)
    keys, times = np.unique(keys, return_counts=True)
    texts = (keys >> (np.uint64(64) - room)).astype(np.int64)
    return _Grams(texts, keys & np.uint64(_MASK >> int(room)), times)


def _bucket(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    return ((hashes >> np.uint64(41)) & np.uint64(_BUCKETS - 1)).astype(np.int64)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(texts), _BATCH):
        yield texts[begin : begin + _BATCH]
