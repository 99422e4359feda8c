"""Prints what people said of steps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from traceloc.labels.events import Event, from_here
from traceloc.reporting.terminal import one_line


def describe_recorded(event: Event, *, done: str) -> Iterator[str]:
    """One line that says what was done."""
    category = f" · {event.category}" if event.category else ""
    text = f"{done} {from_here(event.locator)} · {event.agent}{category} · system {event.system}"
    yield f"{one_line(text)}\n"


def list_events(events: Iterable[Event]) -> Iterator[str]:
    """One line for each event: when, what, where, who is blamed and who said so."""
    for event in events:
        what = f"undo {event.undoes}" if event.action == "undo" else event.action
        words = [from_here(event.locator), event.agent]
        words += [each for each in (event.category, event.note) if each]
        said = one_line(f"{' · '.join(words)} ({event.who})")
        yield f"{event.at:%Y-%m-%d %H:%M}  {what:<7}  {said}\n"


def export_labels(events: Iterable[Event], groups: Mapping[str, str]) -> Iterator[str]:
    """Rows of a ``labels.jsonl`` that ``traceloc eval`` and ``traceloc fit`` read.

    Args:
        events: Answers in force; rejections are left out.
        groups: Group of each trace, by content hash.
    """
    for event in events:
        if event.action not in ("label", "confirm"):
            continue
        file = (
            from_here(event.locator)
            .removesuffix(f"#{event.step}")
            .removesuffix(f":{event.trace_id}")
        )
        row = {
            "file": file,
            "trace": event.trace_id,
            "group": groups.get(event.content_hash, event.content_hash),
            "agent": event.agent,
            "step": event.native_index,
            "category": event.category,
            "source": "human",
            "system": event.system,
            "note": event.note,
            "who": event.who,
            "at": event.at.isoformat(),
        }
        yield json.dumps(row, ensure_ascii=False) + "\n"
