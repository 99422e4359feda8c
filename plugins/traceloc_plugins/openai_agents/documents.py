"""Documents with items: saved run states, lists of items, requests and responses, sessions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from traceloc.loading import Source, TraceBuilder
from traceloc.trace import Trace
from traceloc_plugins.databases import Database
from traceloc_plugins.facts import word
from traceloc_plugins.openai_agents.dialect import read_usage
from traceloc_plugins.openai_agents.items import Item, ItemReader, is_chat_only, is_item, kind_of
from traceloc_plugins.openai_chat.tools import add_tools
from traceloc_plugins.records import bounded, id_field, keep_fields, split_truth
from traceloc_plugins.spans.names import PLACEHOLDERS
from traceloc_plugins.spans.values import decoded

LOOKED_AT = 50
_VERSION = "$schemaVersion"
_TOLD = frozenset(
    {"generated_items", "generatedItems", "session_items", "original_input", "originalInput"}
    | {"model_responses", "modelResponses", "last_model_response", "lastModelResponse", _VERSION}
    | {"last_processed_response", "lastProcessedResponse", "generated_session_item_indexes"}
    | {"tool_use_tracker", "toolUseTracker", "tool_invocations", "trace", "input", "output"}
    | {"input_guardrail_results", "output_guardrail_results"}
    | {"instructions", "tools", "model", "usage", "id", "object"}
)
"""What became steps, or says the same again."""


def is_run_state(value: Any) -> bool:
    """Whether a JSON value is a saved state of a run."""
    return isinstance(value, dict) and _VERSION in value and _items_of(value) is not None


def _items_of(state: dict[str, Any]) -> list[Any] | None:
    for key in ("generated_items", "generatedItems"):
        if isinstance(found := state.get(key), list):
            return found
    return None


def items_in(value: Any) -> list[Any] | None:
    """The items of a list, of a request with its response, or of either; else ``None``."""
    whole = isinstance(value, dict) and value.get("object") == "response"
    if isinstance(value, dict):
        given, gave = value.get("input"), value.get("output")
        response = value.get("response")
        if gave is None and isinstance(response, dict):
            gave = response.get("output")
        if isinstance(given, str) and isinstance(gave, list):
            given = [{"role": "user", "content": given}]
        parts = [part for part in (given, gave) if isinstance(part, list)]
        value = [item for part in parts for item in part]
    if not isinstance(value, list) or any(map(is_chat_only, value[:LOOKED_AT])):
        return None
    return value or None if whole or any(map(is_item, value[:LOOKED_AT])) else None


def read_run_state(name: str, path: str, state: dict[str, Any]) -> Trace:
    """The trace of a run from its saved state, in which every item has its agent."""
    builder = TraceBuilder(format=name, source=path, dialect="run_state")
    given = state.get("original_input", state.get("originalInput"))
    given = [{"role": "user", "content": given}] if isinstance(given, str) else given
    given = given if isinstance(given, list) else []
    made = _items_of(state) or []
    answers, reader = _answers(state), ItemReader(builder, _names(made))
    targets = _targets(made)
    for response, about in answers.facts.items():
        reader.usage[response] = about
    for position, fields in enumerate(given):
        reader.add(Item(fields if isinstance(fields, dict) else {}, position))
    called: set[str] = set()
    for number, entry in enumerate(made):
        raw = _raw(entry)
        if raw is None:
            builder.note("skipped", "items without content")
            continue
        id = id_field(raw, "call_id", "callId", "id")
        if entry.get("type") == "tool_approval_item" and id in called:
            builder.note("skipped", "requests for approval, which repeat their call")
            continue
        called.add(id or "")
        if description := word(entry.get("description")):
            builder.tool(word(raw.get("name")) or "tool", description=description)
        is_output = kind_of(raw).endswith(("_output", "_result"))
        reader.add(
            Item(
                raw,
                len(given) + number,
                agent=_name(entry.get("agent")),
                target=targets.get(id or ""),
                answer=None if is_output else answers.of.get(id or ""),
            )
        )
    reader.close()
    for key in ("input_guardrail_results", "output_guardrail_results"):
        _add_guardrails(reader, state.get(key), len(given) + max(len(made) - 1, 0))
    trace = state.get("trace")
    trace = trace if isinstance(trace, dict) else {}
    others = {key: item for key, item in state.items() if key not in _TOLD}
    workflow = word(trace.get("workflow_name", trace.get("name")))
    return builder.build(
        id=id_field(trace, "trace_id", "id"),
        task=reader.turns.first_request,
        system=None if (workflow or "").lower() in PLACEHOLDERS else workflow,
        session_id=id_field(trace, "group_id", "groupId"),
        attributes=keep_fields(builder, others),
    )


class _Answers:
    """The responses of a run: which items came in which, and what they took."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self.facts: dict[str, Any] = {}


def _answers(state: dict[str, Any]) -> _Answers:
    found = _Answers()
    responses = state.get("model_responses", state.get("modelResponses"))
    for number, response in enumerate(responses if isinstance(responses, list) else ()):
        if not isinstance(response, dict):
            continue
        name = id_field(response, "response_id", "responseId") or f"response-{number}"
        found.facts[name] = (read_usage(response.get("usage")), word(response.get("model")))
        items = response.get("output")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and (id := id_field(item, "call_id", "callId", "id")):
                found.of[id] = name
    return found


def _raw(entry: Any) -> dict[str, Any] | None:
    raw = entry.get("raw_item", entry.get("rawItem")) if isinstance(entry, dict) else None
    return raw if isinstance(raw, dict) else None


def _name(agent: Any) -> str | None:
    return word(agent.get("name")) if isinstance(agent, dict) else None


def _names(entries: list[Any]) -> list[str]:
    agents = (_name(entry.get("agent")) for entry in entries if isinstance(entry, dict))
    return list(dict.fromkeys(name for name in agents if name))


def _targets(entries: Sequence[Any]) -> dict[str, str]:
    """Whom calls hand the work to, by the ids of the calls."""
    found: dict[str, str] = {}
    for entry in entries:
        raw = _raw(entry)
        if raw is not None:
            target = _name(entry.get("target_agent", entry.get("targetAgent")))
            if target and (id := id_field(raw, "call_id", "callId")):
                found[id] = target
    return found


def _add_guardrails(reader: ItemReader, results: Any, position: int) -> None:
    for result in results if isinstance(results, list) else ():
        if not isinstance(result, dict):
            continue
        output, about = result.get("output"), result.get("guardrail")
        tripped = isinstance(output, dict) and (
            output.get("tripwire_triggered") is True or output.get("tripwireTriggered") is True
        )
        name = _name(about) or "guardrail"
        attributes, truth = split_truth(result)
        if truth:
            reader.turns.builder.truth(**{f"guardrail {name}": truth})
        reader.turns.builder.agent(name, kind="system")
        reader.turns.builder.step(
            kind="event",
            role="other",
            agent=name,
            native_index=position,
            text="triggered" if tripped else "passed",
            attributes=attributes,
        )


def read_items(
    builder: TraceBuilder,
    items: Iterable[tuple[Any, int | None]],
    *,
    about: dict[str, Any] | None = None,
    times: Sequence[Any] = (),
    id: str | None = None,
) -> Trace:
    """The trace of items that name no agents.

    Args:
        builder: The trace under construction.
        items: Items with their lines.
        about: The request and response they are from, where there is one.
        times: When each was written, where that is known.
        id: Id of the session.
    """
    known = [(fields if isinstance(fields, dict) else {}, line) for fields, line in items]
    targets = dict(_said_targets(fields for fields, _ in known))
    reader = ItemReader(builder, list(targets.values()))
    if targets:
        builder.note("inferred", "who answers after a hand-off was taken from its result")
    answer = None
    if about and (text := word(about.get("instructions"))):
        reader.turns.introduce("assistant", attribution="role", instructions=text)
    if about and (answer := id_field(about, "id")):
        reader.usage[answer] = (read_usage(about.get("usage")), word(about.get("model")))
    add_tools(builder, bounded((about or {}).get("tools")) or None)
    gave = (about or {}).get("output")
    first_new = len(known) - len(gave) if isinstance(gave, list) else len(known)
    for position, (fields, line) in enumerate(known):
        call = id_field(fields, "call_id")
        reader.add(
            Item(
                fields,
                position,
                target=targets.get(call or ""),
                answer=answer if position >= first_new else None,
                time=times[position] if position < len(times) else None,
                line=line,
            )
        )
    reader.close()
    others = {key: item for key, item in (about or {}).items() if key not in _TOLD}
    return builder.build(
        id=id or answer,
        task=reader.turns.first_request,
        session_id=id,
        attributes=keep_fields(builder, others),
    )


def _said_targets(items: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Calls and agents: the tool of a hand-off returns ``{"assistant": "booker"}``."""
    for fields in items:
        text = fields.get("output")
        if kind_of(fields) != "function_call_output" or not isinstance(text, str):
            continue
        value = decoded(text) if text[:1] == "{" and len(text) < 1000 else None
        if isinstance(value, dict) and value.keys() == {"assistant"}:
            agent, call = word(value["assistant"]), id_field(fields, "call_id")
            if agent and call:
                yield call, agent


def read_sessions(name: str, source: Source) -> Iterator[Trace]:
    """Yield a trace for each session of an ``SQLiteSession``'s database."""
    database = Database(source)
    try:
        sessions: dict[str, list[tuple[Any, Any]]] = {}
        columns = ("session_id", "message_data", "created_at")
        for row in database.rows("agent_messages", columns, order="session_id id"):
            items = sessions.setdefault(str(row["session_id"]), [])
            items.append((decoded(row["message_data"]), row["created_at"]))
    finally:
        database.close()
    for session, rows in sessions.items():
        builder = TraceBuilder(format=name, source=source.path, dialect="session")
        database.note_unread_log(builder)
        trace = read_items(
            builder,
            [(fields, None) for fields, _ in rows],
            times=[time for _, time in rows],
            id=session,
        )
        if trace.steps:
            yield trace
