"""Which schemata a memory can do without."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from traceloc.memory.schema import ErrorSchema
from traceloc.memory.settings import DEFAULTS, MemorySettings

_DAY = 86_400.0


def usefulness(schema: ErrorSchema, *, at: datetime, settings: MemorySettings = DEFAULTS) -> float:
    """Sightings, recalls and answers, weighed and faded by time since the last of them."""
    counts = schema.counts
    worth = counts.seen + settings.worth_confirmed * counts.confirmed
    worth += settings.worth_hit * counts.hits + settings.worth_rejected * counts.rejected
    last = counts.last_hit or schema.created
    if last is None or worth <= 0:
        return worth
    days = max((at - last.astimezone(UTC)).total_seconds() / _DAY, 0.0)
    return float(worth * 0.5 ** (days / settings.half_life))


def choose_victims(
    schemata: Sequence[ErrorSchema],
    max_size: int,
    *,
    at: datetime,
    settings: MemorySettings = DEFAULTS,
) -> list[ErrorSchema]:
    """The least useful schemata beyond ``max_size``, least useful first; equals by id.

    Shipped ones cost nothing to get again and go before others of equal worth.
    """
    surplus = len(schemata) - max(max_size, 0)
    if surplus <= 0:
        return []
    order = sorted(
        schemata,
        key=lambda s: (
            round(usefulness(s, at=at, settings=settings), 9),
            s.origin != "shipped",
            s.id,
        ),
    )
    return order[:surplus]
