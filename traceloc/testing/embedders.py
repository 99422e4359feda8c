"""Checks of embedders: unit rows, the same alone and in a batch, stamped with what made them.

The kit has texts of its own; samples are further texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from traceloc.testing.bounds import within
from traceloc.testing.violation import ContractViolation

NEEDS_SAMPLES = False
TOLERANCE = 1e-4
"""Of a component: models add up in another order in batches of another size."""
TEXTS = (
    "Error: no such sku",
    "the booking was made for <date> at <time>, without asking whether it is free",
    "the booking was made for <date> at <time> without asking whether it was free",
    "I have verified the answer and it is <number>.",
    "tool update_stock(city=<name>, sku=<number>)",
    "日本 🏮 ١٢٣ ﬁ İ zoë",
    "x",
)
BLANK = ("", " \n\t ")
HOSTILE = ("\x00", "\u202e\x1b[31m", "a" * 100_000, "a " * 50_000, "[/bold]{0}%s", "\ufffd" * 50)


def prepare(samples: Sequence[str]) -> tuple[str, ...]:
    """The author's texts, then the kit's."""
    return (*samples, *TEXTS)


def exercise(plugin: Any, samples: Sequence[str]) -> list[str]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    stamp = plugin.fingerprint()
    return [f"{stamp} {plugin.embed([text])[0].tolist()}" for text in samples]


def pack(samples: Sequence[str]) -> Any:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return list(samples)


def unpack(packed: Any) -> tuple[str, ...]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return tuple(packed)


def check_rows_are_of_unit_length(plugin: Any, samples: Sequence[str]) -> None:
    """A float32 row of the same width for each text, finite, of length 1."""
    texts = [*prepare(samples), *HOSTILE]
    with within("hostile texts"):
        rows = plugin.embed(texts)
    _require_shape(plugin.embed(texts[:1]), 1, None)
    width = _require_shape(rows, len(texts), None)
    _require_shape(plugin.embed(texts[:3]), min(3, len(texts)), width)
    if not np.isfinite(rows).all():
        at = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise ContractViolation(
            f"the row of {texts[at][:40]!r} is not finite",
            mend="divide by max(length, tiny), and leave rows without content at zero",
        )
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    for text, length in zip(texts, lengths.tolist(), strict=True):
        # What holds no letter may well be without content for an embedder.
        if abs(length - 1) > TOLERANCE and not (length == 0 and text in HOSTILE):
            raise ContractViolation(
                f"the row of {text[:40]!r} has length {length:.6g}",
                mend="divide each row by its length",
            )


def check_nothing_gives_nothing(plugin: Any, samples: Sequence[str]) -> None:
    """A text without content gets a row of zeros, and no text gets no row."""
    width = plugin.embed(["some text"]).shape[1]
    _require_shape(plugin.embed([]), 0, width)
    rows = plugin.embed(list(BLANK))
    if rows.any():
        raise ContractViolation(
            f"{BLANK} get rows that are not zero; they would be near to something",
            mend="set rows of blank texts to zero",
        )


def check_batches_do_not_matter(plugin: Any, samples: Sequence[str]) -> None:
    """A text's row is the same alone, in a batch, in another order, and beside itself."""
    texts = prepare(samples)
    alone = np.concatenate([plugin.embed([text]) for text in texts])
    for how, rows in (
        ("in a batch", plugin.embed(list(texts))),
        ("in a batch turned round", plugin.embed(list(texts[::-1]))[::-1]),
        ("in a batch with itself", plugin.embed([*texts, *texts])[len(texts) :]),
        ("beside long and blank texts", plugin.embed([*HOSTILE, *BLANK, *texts])[-len(texts) :]),
    ):
        off = np.abs(rows.astype(np.float64) - alone).max(axis=1)
        if (off > TOLERANCE).any():
            at = int(off.argmax())
            raise ContractViolation(
                f"the row of {texts[at][:40]!r} is another one {how}, by {off[at]:.3g}",
                mend="weigh words by nothing taken from the batch, and mask what pads it",
            )


def check_equal_texts_are_equal(plugin: Any, samples: Sequence[str]) -> None:
    """Equal texts have equal rows, and a text is nearer to its like than to another."""
    rows = plugin.embed([TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[0], TEXTS[4]])
    if np.abs(rows[0] - rows[3]).max() > TOLERANCE:
        raise ContractViolation(
            "the same text twice has two rows", mend="use no chance, no cache that wears out"
        )
    alike, other = float(rows[1] @ rows[2]), max(float(rows[1] @ rows[i]) for i in (0, 4))
    if alike <= other:
        raise ContractViolation(
            f"{TEXTS[1]!r} is {alike:.3f} like the same in other words, and {other:.3f} like "
            "another text",
            mend="return vectors in which near means alike",
        )


def check_fingerprint_tells(plugin: Any, samples: Sequence[str]) -> None:
    """The fingerprint is one line of text, names the embedder, and does not change with use."""
    first = plugin.fingerprint()
    plugin.embed(list(TEXTS))
    again = plugin.fingerprint()
    if not isinstance(first, str) or not first.strip() or "\n" in first:
        raise ContractViolation(
            f"fingerprint is {first!r}", mend="return one line: name, model, dimension, settings"
        )
    if first != again:
        raise ContractViolation(
            f"fingerprint is {first!r}, and {again!r} after use",
            mend="make it of what decides the vectors, and of nothing else",
        )


def check_input_is_unchanged(plugin: Any, samples: Sequence[str]) -> None:
    """Texts stay as they are, any sequence will do, and rows are the caller's own."""
    texts = list(prepare(samples))
    kept = list(texts)
    first = plugin.embed(texts)
    if texts != kept:
        raise ContractViolation("embed changes the list of texts", mend="work on a copy")
    copy = first.copy()
    first[:] = 7
    if not np.array_equal(plugin.embed(tuple(texts)), copy):
        raise ContractViolation(
            "writing into one result changes the next", mend="return a copy of what is remembered"
        )


def _require_shape(rows: NDArray[Any], count: int, width: int | None) -> int:
    shape = getattr(rows, "shape", None)
    if not isinstance(rows, np.ndarray) or rows.dtype != np.float32 or rows.ndim != 2:
        raise ContractViolation(
            f"embed gives {type(rows).__name__} {getattr(rows, 'dtype', '')} of shape {shape}",
            mend="return a float32 array of shape (len(texts), dimension)",
        )
    if rows.shape[0] != count or (width is not None and rows.shape[1] != width):
        raise ContractViolation(
            f"embed gives shape {shape} for {count} texts"
            + (f" and width {width} before" if width is not None else ""),
            mend="return one row for each text, always of the same width",
        )
    return int(rows.shape[1])


CHECKS = (
    check_rows_are_of_unit_length,
    check_nothing_gives_nothing,
    check_batches_do_not_matter,
    check_equal_texts_are_equal,
    check_fingerprint_tells,
    check_input_is_unchanged,
)
