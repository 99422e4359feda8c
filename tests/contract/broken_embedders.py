"""Embedders with one flaw each, by the check that must find it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flaws import Flaws
from sound_plugins import Letters

FLAWS = Flaws()


class Bent(Letters):
    def embed(self, texts: Sequence[str]) -> Any:
        return self.change(super().embed(texts), texts)

    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        raise NotImplementedError


@FLAWS.of("interface")
class NoFingerprint(Letters):
    name = "Letters!"


@FLAWS.of("rows_are_of_unit_length")
class Long(Bent):
    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        return rows * 2


@FLAWS.of("nothing_gives_nothing")
class Something(Bent):
    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        rows[[not text.split() for text in texts], 0] = 1
        return rows


@FLAWS.of("batches_do_not_matter")
class Batchy(Bent):
    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        rows = rows - rows.mean(axis=0) / 2 * (len(rows) > 1)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.maximum(lengths, 1e-9)).astype(np.float32)


@FLAWS.of("equal_texts_are_equal")
class Whole(Letters):
    def embed(self, texts: Sequence[str]) -> Any:
        return super().embed([text.replace(" ", "") for text in texts])


@FLAWS.of("fingerprint_tells")
class Wearing(Letters):
    used = 0

    def embed(self, texts: Sequence[str]) -> Any:
        self.used += 1
        return super().embed(texts)

    def fingerprint(self) -> str:
        return f"letters:{self.used}"


@FLAWS.of("input_is_unchanged")
class Stripping(Letters):
    def embed(self, texts: Any) -> Any:
        if isinstance(texts, list):
            texts[:] = [text.strip()[:20] for text in texts]
        return super().embed(texts)


@FLAWS.of("same_again")
class Growing(Bent):
    calls = 0

    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        type(self).calls += 1
        return rows * np.float32(1 + self.calls / 1e6)


@FLAWS.of("leaves_the_process_alone")
class Quiet(Bent):
    def change(self, rows: Any, texts: Sequence[str]) -> Any:
        np.random.rand()
        return rows


@FLAWS.of("same_in_another_process")
class Salted(Letters):
    def embed(self, texts: Sequence[str]) -> Any:
        return super().embed([" ".join(str(hash(w)) for w in text.split()) for text in texts])
