"""One failure that is told several times, by whoever it passed on its way up."""

from __future__ import annotations

_TELLING = 12
"""Characters from which a message inside another is the same message."""


def is_retold(said: str, below: str) -> bool:
    """Whether two messages tell of one failure: frameworks put words in front of what they met."""
    forms = [{text, text.partition(": ")[2]} - {""} for text in (said, below)]
    if forms[0] & forms[1]:
        return True
    # A mere "failed" stands in many messages that tell of something else.
    return min(len(said), len(below)) >= _TELLING and (said in below or below in said)
