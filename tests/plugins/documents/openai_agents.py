"""The saved state of a run: a clerk looks up the stock, fails once, hands over to a writer."""

from typing import Any


def item(kind: str, agent: str, raw: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": kind, "raw_item": raw, "agent": {"name": agent}, **fields}


def call(number: int, name: str, arguments: str = "{}") -> dict[str, Any]:
    ids = {"id": f"fc_{number}", "call_id": f"c{number}"}
    return {"type": "function_call", "name": name, "arguments": arguments, **ids}


def output(number: int, text: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": f"c{number}", "output": text}


def words(number: int, text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "id": f"m{number}", "content": content}


def response(number: int, *items: Any) -> dict[str, Any]:
    details = [{"cached_tokens": 4}]
    usage = {"input_tokens": 9, "output_tokens": 3, "input_tokens_details": details}
    return {"usage": usage, "output": list(items), "response_id": f"r{number}"}


THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
FAILURE = "An error occurred while running the tool. Please try again."
ITEMS = [
    THOUGHT,
    call(1, "stock", '{"sku": 7}'),
    call(2, "stock", "{broken"),
    output(1, "12"),
    output(2, FAILURE),
    words(1, "Ask her."),
    call(3, "transfer_to_writer"),
    output(3, '{"assistant": "writer"}'),
    words(2, "Twelve."),
]
OPENAI_AGENTS: dict[str, Any] = {
    "$schemaVersion": "1.9",
    "current_turn": 3,
    "current_agent": {"name": "writer"},
    "original_input": "How many lamps are left?",
    "model_responses": [response(1, *ITEMS[:3]), response(2, *ITEMS[5:7]), response(3, ITEMS[8])],
    "generated_items": [
        item("reasoning_item", "clerk", ITEMS[0]),
        item("tool_call_item", "clerk", ITEMS[1], description="Looks up."),
        item("tool_call_item", "clerk", ITEMS[2]),
        item("tool_call_output_item", "clerk", ITEMS[3]),
        item("tool_call_output_item", "clerk", ITEMS[4]),
        item("message_output_item", "clerk", ITEMS[5]),
        item("handoff_call_item", "clerk", ITEMS[6]),
        item("handoff_output_item", "clerk", ITEMS[7], target_agent={"name": "writer"}),
        item("message_output_item", "writer", ITEMS[8]),
    ],
    "output_guardrail_results": [
        {"guardrail": {"name": "polite"}, "output": {"tripwire_triggered": True}}
    ],
    "trace": {"id": "trace_7", "workflow_name": "shop", "group_id": "t-7"},
}
DOCUMENTS = {"openai_agents": OPENAI_AGENTS}
