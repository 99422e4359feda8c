"""Prints what a failure memory holds. Its texts come from traces and are made harmless here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from traceloc.memory.gate import Gate
from traceloc.memory.recall import Match
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.store import Change
from traceloc.reporting.terminal import clip, one_line

_LABEL = 11


def list_schemata(schemata: Iterable[ErrorSchema], *, width: int) -> Iterator[str]:
    """One line for each schema: id, how often it was seen, system, title."""
    for schema in schemata:
        yield _line(schema, f"{schema.counts.seen:>5}", width)


def list_matches(matches: Iterable[Match], *, width: int) -> Iterator[str]:
    """One line for each schema found, with its cosine."""
    for match in matches:
        yield _line(match.schema, f"{match.similarity:5.2f}", width)


def describe_schema(schema: ErrorSchema) -> Iterator[str]:
    """Everything about one schema."""
    yield f"{schema.id}  {one_line(schema.title)}\n"
    signature, counts = schema.signature, schema.counts
    where: list[str] = [signature.role, signature.kind, signature.phase]
    where += [f"calls {signature.tool}"] if signature.tool else []
    answers = f"hit {counts.hits}, confirmed {counts.confirmed}, rejected {counts.rejected}"
    names = [each for each in (schema.mast, schema.agentrx, schema.category) if each]
    rows = [
        ("system", schema.system or "any"),
        ("origin", schema.origin),
        ("category", " · ".join(dict.fromkeys(names))),
        ("step", " · ".join(where)),
        ("signals", ", ".join(signature.signals)),
        ("counts", f"seen {counts.seen}, {answers}"),
        ("text", signature.text),
        ("template", schema.template or ""),
        *(("before", text) for text in schema.context.before),
        ("after", schema.context.after),
        *(("ask", question) for question in schema.heuristics),
        ("fix", schema.fix or ""),
        *(("seen in", f"{s.locator} ({s.origin})") for s in schema.sightings),
    ]
    for label, text in rows:
        if text:
            yield f"  {label:<{_LABEL}}{one_line(text)}\n"


def describe_stats(
    sizes: Iterable[tuple[str, int, int, int]], gates: dict[str, Gate], *, address: str
) -> Iterator[str]:
    """What there is by system, and where the memory may vote.

    Args:
        sizes: System, schemata, remembered failures, ordinary steps.
        gates: Of each system.
        address: Where the memory is.
    """
    yield f"{one_line(address)}\n"
    for system, schemata, remembered, ordinary in sizes:
        yield (
            f"{one_line(system)}: {schemata} schemata, {remembered} failures, "
            f"{ordinary} ordinary steps; {_tell_gate(gates.get(system))}\n"
        )


def list_changes(changes: Iterable[Change]) -> Iterator[str]:
    """One line for each change."""
    for change in changes:
        undone = " (taken back)" if change.undone else ""
        words = one_line(f"{change.note} ({change.who})")
        size = f"+{len(change.put)} -{len(change.removed)}"
        when = f"{change.at:%Y-%m-%d %H:%M}"
        yield f"{change.id:>5}  {when}  {change.kind:<7} {size:<9}{words}{undone}\n"


def _line(schema: ErrorSchema, number: str, width: int) -> str:
    text = f"{schema.id}  {number}  {one_line(schema.system or 'any')}  {one_line(schema.title)}"
    return clip(text, width) + "\n"


def _tell_gate(gate: Gate | None) -> str:
    if gate is None or gate.gain != gate.gain:
        return "no vote (too few failures to tell)"
    gain = f"saves {gate.gain:.3f} ± {gate.error:.3f} nats on {gate.trials} failures"
    return f"votes with weight {gate.weight:.2f}: {gain}" if gate.open else f"no vote: {gain}"
