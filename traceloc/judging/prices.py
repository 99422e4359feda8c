"""What answers cost, from a table of the user.

No prices are shipped: they change, and a wrong number is worse than none. Where a plugin or a
provider states what an answer cost, that counts; the user's table outweighs both.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field, TypeAdapter, ValidationError

from traceloc.errors import Location, UsageError
from traceloc.judgement import JudgeReply
from traceloc.trace import Document

MILLION = 1_000_000


class Price(Document):
    """Dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)


PriceTable = Mapping[str, Price]
"""By model as the user names it; ``*`` stands for anything. The first that fits counts."""


def read_prices(path: str | Path) -> dict[str, Price]:
    """A table such as ``{"openai:gpt-*": {"input": 1.25, "output": 10}}``.

    Raises:
        UsageError: ``TL604`` if it cannot be read.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        return TypeAdapter(dict[str, Price]).validate_json(text)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise UsageError(
            f"is no table of prices: {first}",
            code="TL604",
            hint='expected {"MODEL": {"input": DOLLARS, "output": DOLLARS}} for a million tokens',
            location=Location(str(path)),
        ) from error


def price_of(reply: JudgeReply, *, model: str, prices: PriceTable) -> float | None:
    """Dollars for an answer; ``None`` where nobody knows."""
    for pattern, price in prices.items():
        if fnmatchcase(model, pattern):
            if reply.input_tokens is None or reply.output_tokens is None:
                return None
            cost = reply.input_tokens * price.input + reply.output_tokens * price.output
            return cost / MILLION
    return reply.usd
