"""What masked texts have in common, in order: a template with slots where they differ.

Aligned one after another with the longest common subsequence of their words. Texts are bounded
(:data:`~traceloc.memory.schema.MAX_TEXT` characters), and only the first members are aligned.
"""

from __future__ import annotations

from collections.abc import Sequence

SLOT = "<*>"
MAX_ALIGNED = 16
MAX_WORDS = 160


def align_texts(texts: Sequence[str]) -> str:
    """The words all texts share, in order, with ``<*>`` for what differs.

    Args:
        texts: Masked texts; the first gives the order.

    Returns:
        The template; the text itself if there is one, empty if there is none.
    """
    if not texts:
        return ""
    template = texts[0].split()[:MAX_WORDS]
    for text in texts[1:MAX_ALIGNED]:
        words = text.split()[:MAX_WORDS]
        if words != template:
            template = _merge(template, words)
    return " ".join(template)


def _merge(left: list[str], right: list[str]) -> list[str]:
    """Common words of two texts; one slot between them wherever either has more."""
    pairs = _common([w for w in left], right)
    merged: list[str] = []
    i = j = 0
    for a, b in [*pairs, (len(left), len(right))]:
        if a > i or b > j:
            if not merged or merged[-1] != SLOT:
                merged.append(SLOT)
        if a < len(left):
            word = left[a]
            if not (word == SLOT and merged and merged[-1] == SLOT):
                merged.append(word)
        i, j = a + 1, b + 1
    return merged


def _common(left: list[str], right: list[str]) -> list[tuple[int, int]]:
    """Positions of a longest common subsequence; the earliest one of several."""
    n, m = len(left), len(right)
    length = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        row, below = length[i], length[i + 1]
        for j in range(m - 1, -1, -1):
            if left[i] == right[j] and left[i] != SLOT:
                row[j] = below[j + 1] + 1
            else:
                row[j] = max(below[j], row[j + 1])
    pairs = []
    i = j = 0
    while i < n and j < m:
        if left[i] == right[j] and left[i] != SLOT:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif length[i + 1][j] >= length[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
