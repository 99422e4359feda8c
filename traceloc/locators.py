"""From a locator back to the trace: ``path``, ``path#17``, ``path:trace-id#17``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from traceloc.errors import Location, TraceFormatError, UsageError
from traceloc.loading.reading import read
from traceloc.registry import Registry
from traceloc.settings import SystemTable
from traceloc.trace import StepRef, Trace

LISTED = 5


class Place(NamedTuple):
    """What a locator names, before anything is read."""

    path: str
    trace_id: str | None
    step: int | None


def parse_locator(text: str) -> Iterator[Place]:
    """All readings of a locator whose path exists, the most literal one first.

    File names and trace ids may hold ``:`` and ``#`` themselves, so several readings can fit.
    """
    readings: list[tuple[str, int | None]] = [(text, None)]
    try:
        ref = StepRef.parse(text)
    except ValueError:
        pass
    else:
        readings.append((ref.trace, ref.step))
    for base, step in readings:
        if _exists(base):
            yield Place(base, None, step)
        for position, char in enumerate(base):
            if char == ":" and _exists(base[:position]):
                yield Place(base[:position], base[position + 1 :], step)


def find_trace(
    locator: str,
    *,
    loader: str | None = None,
    system: str | None = None,
    systems: SystemTable | None = None,
    registry: Registry,
) -> tuple[Trace, int | None]:
    """The trace that a locator names, and the step where it names one.

    Raises:
        UsageError: ``TL101`` if there is no such file, ``TL210`` if the locator fits no trace or
            several, ``TL211`` if the trace has no such step.
        TraceFormatError: If the file cannot be read.
    """
    places = list(parse_locator(locator))
    if not places:
        raise UsageError(
            "no such file",
            code="TL101",
            hint="a locator is PATH, PATH#STEP or PATH:TRACE-ID#STEP",
            location=Location(locator),
        )
    problem: UsageError | None = None
    for place in places:
        name = system or (systems.find(place.path) if systems else None)
        ids: list[str] = []
        fitting: list[Trace] = []
        failure: TraceFormatError | None = None
        for item in read([place.path], format=loader, system=name, registry=registry):
            if isinstance(item, TraceFormatError):
                failure = failure or item
            elif isinstance(item, Trace):
                ids.append(item.id)
                if len(fitting) < 2 and place.trace_id in (None, item.id):
                    fitting.append(item)
        if not ids:
            raise failure or UsageError(
                "holds no trace", code="TL210", location=Location(place.path)
            )
        if len(fitting) == 1:
            return _with_step(fitting[0], place.step)
        problem = _unclear(place, ids)
    assert problem is not None  # noqa: S101  (every reading that returned nothing set it)
    raise problem


def _with_step(trace: Trace, step: int | None) -> tuple[Trace, int | None]:
    if step is not None and step >= len(trace.steps):
        last = len(trace.steps) - 1
        raise UsageError(
            f"there is no step #{step}",
            code="TL211",
            hint=f"steps are #0 to #{last}" if trace.steps else "the trace has no steps",
            location=Location(trace.locator()),
        )
    return trace, step


def _unclear(place: Place, ids: list[str]) -> UsageError:
    where = Location(place.path)
    step = "" if place.step is None else f"#{place.step}"
    if place.trace_id is not None:
        close = difflib.get_close_matches(place.trace_id, ids, n=1) or ids[:1]
        return UsageError(
            f"holds no trace {place.trace_id!r}",
            code="TL210",
            hint=f"did you mean {place.path}:{close[0]}{step}?",
            location=where,
        )
    named = ", ".join(f"{place.path}:{each}{step}" for each in ids[:LISTED])
    more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
    return UsageError(
        f"holds {len(ids)} traces", code="TL210", hint=f"name one: {named}{more}", location=where
    )


def _exists(path: str) -> bool:
    try:
        return bool(path) and (path == "-" or Path(path).exists())
    except (OSError, ValueError):
        return False
