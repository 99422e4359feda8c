"""A JSON log of Inspect AI: a team of two, one of whose tools fails."""

import io
import json
import zipfile
from typing import Any


def span(kind: str, id: str, type: str = "", name: str = "", parent: str | None = None) -> Any:
    event: dict[str, Any] = {"event": f"span_{kind}", "id": id, "timestamp": "2026-03-09T10:00:00Z"}
    return event | ({"type": type, "name": name, "parent_id": parent} if kind == "begin" else {})


def model(span_id: str, given: list[Any], text: str, *calls: Any, id: str = "a") -> dict[str, Any]:
    message = {"id": id, "role": "assistant", "content": text, "tool_calls": list(calls)}
    output = {
        "model": "m-1",
        "choices": [{"message": message, "stop_reason": "stop"}],
        "usage": {"input_tokens": 9, "output_tokens": 3, "input_tokens_cache_read": 1},
    }
    return {
        "event": "model",
        "span_id": span_id,
        "uuid": f"u{id}",
        "input": given,
        "output": output,
    }


def call(id: str, function: str, **arguments: Any) -> dict[str, Any]:
    return {"id": id, "function": function, "arguments": arguments, "type": "function"}


PROMPT = {"id": "p", "role": "system", "content": "attachment://00ff"}
ASKED = {"id": "q", "role": "user", "content": "How many lamps are left?", "source": "input"}
SAMPLE: dict[str, Any] = {
    "id": "lamps",
    "epoch": 1,
    "uuid": "x1",
    "input": "How many lamps are left?",
    "target": "11",
    "messages": [ASKED, {"role": "assistant", "content": "Twelve."}],
    "scores": {"match": {"value": "I", "answer": "12"}},
    "attachments": {"00ff": "You run the shop."},
    "metadata": {"difficulty": 2, "gold_answer": "11"},
    "events": [
        {"event": "sample_init", "sample": {"target": "11"}},
        span("begin", "s1", "agent", "boss"),
        model("s1", [PROMPT, ASKED], "I ask.", call("c1", "stock", sku=7), id="m1"),
        {
            "event": "tool",
            "span_id": "s1",
            "id": "c1",
            "function": "stock",
            "result": "",
            "error": {"type": "timeout", "message": "too slow"},
        },
        model("s1", [PROMPT, ASKED], "", call("c2", "transfer_to_clerk"), id="m2"),
        span("begin", "s2", "handoff", "clerk", "s1"),
        {
            "event": "tool",
            "span_id": "s1",
            "id": "c2",
            "function": "transfer_to_clerk",
            "agent": "clerk",
            "result": "Successfully transferred to clerk.",
        },
        span("begin", "s3", "agent", "clerk", "s2"),
        model("s3", [{"role": "system", "content": "You count."}, ASKED], "Twelve.", id="m3"),
        span("end", "s3"),
        span("end", "s2"),
        span("end", "s1"),
        span("begin", "s4", "scorers", "scorers"),
        model("s4", [{"role": "user", "content": "Is it 11?"}], "No.", id="m4"),
        {"event": "score", "score": {"value": "I"}, "target": "11"},
        span("end", "s4"),
    ],
}
LOG: dict[str, Any] = {
    "version": 2,
    "status": "success",
    "eval": {"task": "shop", "run_id": "r-1", "model": "m-1", "created": "2026-03-09"},
    "samples": [SAMPLE],
}
DOCUMENTS = {"inspect_ai": LOG}


def archived() -> bytes:
    """The log as an archive; the time of each member is fixed, so that its bytes are."""
    buffer = io.BytesIO()
    header = {key: value for key, value in LOG.items() if key != "samples"}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in (
            ("_journal/start.json", header),
            ("samples/lamps_epoch_1.json", SAMPLE),
            ("header.json", header),
        ):
            file.writestr(zipfile.ZipInfo(name), json.dumps(value), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


SAMPLES = {"inspect_ai": (archived(),)}
