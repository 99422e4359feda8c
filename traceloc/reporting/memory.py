"""Prints what a failure memory holds. Its texts come from traces and are made harmless here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from traceloc.memory.gate import Gate
from traceloc.memory.recall import Match
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.store import Change
from traceloc.quoting import say_count
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
        ("when", schema.context.when),
        *(("before", text) for text in schema.context.before),
        ("after", schema.context.after),
        *(("ask", question) for question in schema.heuristics),
        ("asked by", schema.judge or ""),
        ("fix", schema.fix or ""),
        *(("seen in", f"{s.locator} ({s.origin})") for s in schema.sightings),
    ]
    for label, text in rows:
        if text:
            yield f"  {label:<{_LABEL}}{one_line(text)}\n"


def describe_stats(
    sizes: Iterable[tuple[str, int, int, int]],
    gates: Mapping[str, Gate],
    *,
    questions: Mapping[str, int],
    needed: int,
    address: str,
) -> Iterator[str]:
    """What there is by system, and where the memory may vote.

    Args:
        sizes: System, schemata, remembered failures, ordinary steps.
        gates: Of each system.
        questions: Of each system, how many have a remembered failure.
        needed: Questions below which no memory votes.
        address: Where the memory is.
    """
    yield f"{one_line(address)}\n"
    for system, schemata, remembered, ordinary in sizes:
        yield (
            f"{one_line(system)}: {say_count(schemata, 'schema', 'schemata')}, "
            f"{say_count(remembered, 'failure')}, {say_count(ordinary, 'ordinary step')}\n"
        )
        if system in gates:
            told = _tell_gate(gates[system], questions.get(system, 0), needed)
            yield f"  {told}\n"


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


def _tell_gate(gate: Gate, questions: int, needed: int) -> str:
    if questions < needed:
        return (
            f"no vote yet: failures of {questions} of {say_count(needed, 'question')}, "
            f"{needed - questions} more needed "
            "(runs of one task are one question)"
        )
    if gate.questions < needed:
        return (
            f"no vote yet: {say_count(questions, 'question')}, but only {gate.questions} of "
            f"{needed} with a score of the ranker and ordinary steps beside the failure"
        )
    gain = f"{gate.gain:.3f} ± {gate.error:.3f} nats a question, on {gate.questions} held out"
    if gate.open:
        return f"votes with weight {gate.weight:.2f}: saves {gain}"
    return f"no vote: saves {gain}, which is too little or too unsure"
