"""Run a scenario against the scripted server, write its trace and its label row."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normalise import Normaliser, is_model_call, iterate_spans, read_attributes
from scenario import Scenario, Turn, load_scenario
from scripted_server import ScriptedServer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXAMPLES = Path(os.environ.get("EXAMPLES_OUT") or Path(__file__).resolve().parent.parent)
Served = list[tuple[str, Turn]]


def record_chat(scenario: Scenario, drive: Callable[[Scenario, str], Any]) -> None:
    """Write `<slug>/trace.json` from the document `drive(scenario, base_url)` gives."""
    since = datetime.now(UTC)
    with ScriptedServer(scenario) as server:
        document = drive(scenario, server.base_url)
    clean = Normaliser(scenario.slug, since=since, until=datetime.now(UTC)).clean_document(document)
    path = _folder(scenario) / "trace.json"
    path.write_text(json.dumps(clean, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    messages = (
        clean if isinstance(clean, list) else clean.get("messages", clean.get("chat_history"))
    )
    row: dict[str, Any] = {"trace": scenario.slug}
    for _, turn in server.served:
        if turn.fault:
            step = _find_message(messages, turn)
            said = messages[step]
            agent = said.get("name") or said.get("source") or said.get("role")
            row |= {"agent": agent, "step": step}
    _write_label(scenario, path, row)


def record_spans(
    scenario: Scenario, drive: Callable[[Scenario, str, TracerProvider], None], *, batch: bool
) -> None:
    """Write `<slug>/trace.otlp.jsonl` from the spans of `drive(scenario, base_url, provider)`.

    Args:
        scenario: What to run.
        drive: Runs it with the given tracer provider.
        batch: Whether the spans are exported in one batch at the end, or each as it ends.
    """
    since = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as scratch, ScriptedServer(scenario) as server:
        raw = Path(scratch) / "spans.jsonl"
        provider = _open_provider(raw, service=scenario.slug, batch=batch)
        drive(scenario, server.base_url, provider)
        provider.shutdown()
        lines = raw.read_text(encoding="utf-8").splitlines()
    clean = Normaliser(scenario.slug, since=since, until=datetime.now(UTC)).clean_spans(lines)
    path = _folder(scenario) / "trace.otlp.jsonl"
    path.write_text("".join(f"{line}\n" for line in clean), encoding="utf-8")
    spans = [span for line in clean for span in iterate_spans(json.loads(line))]
    traces = sorted({span["traceId"] for span in spans})
    if len(traces) != 1:
        raise SystemExit(f"{scenario.slug}: expected one trace, got {len(traces)}")
    _write_label(scenario, path, {"trace": traces[0], **_find_span(spans, server.served)})


def _open_provider(path: Path, *, service: str, batch: bool) -> TracerProvider:
    from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}),
        span_limits=SpanLimits(max_span_attributes=SpanLimits.UNSET),
    )
    exporter = FileSpanExporter(path)
    if batch:  # one flush at shutdown: the timer must not cut the batch where the machine is slow
        provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                schedule_delay_millis=3_600_000,
                max_queue_size=4096,
                max_export_batch_size=4096,
            )
        )
    else:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def _letters(value: Any) -> str:
    """`value` without what JSON in JSON in JSON does to quotes and breaks."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = re.sub(r"\\+u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)
    return re.sub(r"[^\w]+", "", re.sub(r"\\+[nrt]", "", text))


def _says(found: Any, turn: Turn) -> bool:
    """Whether all that `turn` says stands in `found`."""
    text = _letters(found)
    parts = [turn.text, *(value for call in turn.calls for value in call.args.values())]
    return all(_letters(part) in text for part in parts if part)


def _find_message(messages: list[dict[str, Any]], turn: Turn) -> int:
    """Position of the message that takes `turn`; of its last one where a turn became several."""
    keys = ("content", "tool_calls", "type", "arguments")
    wanted = Turn("", turn.calls) if turn.calls else turn
    if turn.fault and turn.fault.shown:
        wanted = Turn(turn.fault.shown)
    places = []
    for index, message in enumerate(messages):
        made = message.get("tool_calls") or message.get("type") == "ToolCallRequestEvent"
        if bool(made) == bool(turn.calls) and message.get("role") not in ("tool", "system"):
            if _says({key: message.get(key) for key in keys}, wanted):
                places.append(index)
    if len(places) != 1:
        raise SystemExit(f"expected one message for {turn.text[:60]!r}, got {places}")
    return places[0]


def _find_span(spans: list[dict[str, Any]], served: Served) -> dict[str, Any]:
    """Label fields of the model call that answered with the faulty turn."""
    asked = [span for span in spans if is_model_call(read_attributes(span))]
    asked.sort(key=lambda span: int(span["startTimeUnixNano"]))
    if len(asked) != len(served):
        raise SystemExit(f"{len(served)} requests, but {len(asked)} model spans")
    for span, (name, turn) in zip(asked, served, strict=True):
        if not _says(span, turn):
            raise SystemExit(f"span {span['spanId']} does not say {turn.text[:60]!r}")
        if turn.fault:
            return {"agent": name, "step": spans.index(span), "span_id": span["spanId"]}
    return {}


def _folder(scenario: Scenario) -> Path:
    folder = EXAMPLES / scenario.slug
    folder.mkdir(exist_ok=True)
    return folder


def _write_label(scenario: Scenario, path: Path, found: dict[str, Any]) -> None:
    """Put the row of `scenario` into `labels.jsonl`, in place of an older one."""
    fault = next(
        (turn.fault for turns in scenario.script.values() for turn in turns if turn.fault), None
    )
    if (fault is None) != (scenario.outcome == "passed"):
        raise SystemExit(f"{scenario.slug}: a failed run needs a fault, a passed one has none")
    row = {
        "file": path.relative_to(EXAMPLES).as_posix(),
        "trace": found["trace"],
        "group": scenario.slug,
        "agent": found.get("agent"),
        "step": found.get("step"),
        "category": fault.category if fault else None,
        "source": "scripted",
        "outcome": scenario.outcome,
        "span_id": found.get("span_id"),
        "reason": fault.reason if fault else "Clean run.",
    }
    store = EXAMPLES / "labels.jsonl"
    lines = store.read_text(encoding="utf-8").splitlines() if store.exists() else []
    rows = {old["group"]: old for old in map(json.loads, lines)} | {scenario.slug: row}
    text = "".join(f"{json.dumps(rows[slug], ensure_ascii=False)}\n" for slug in sorted(rows))
    store.write_text(text, encoding="utf-8")


def named_scenario() -> Scenario:
    """The scenario whose slug stands on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {Path(sys.argv[0]).name} SLUG")
    return load_scenario(sys.argv[1])
