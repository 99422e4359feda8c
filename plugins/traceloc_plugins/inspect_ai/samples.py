"""One sample: what was asked, what happened, and what was thought of it afterwards."""

from __future__ import annotations

from typing import Any, NamedTuple

from traceloc.loading import Source, TraceBuilder, declared_error, text_of
from traceloc.loading.bounding import is_small
from traceloc.trace import Trace
from traceloc_plugins.facts import amount, moment, word
from traceloc_plugins.inspect_ai.content import Pool, as_chat_message
from traceloc_plugins.inspect_ai.events import EventReader
from traceloc_plugins.openai_chat.messages import ChatReader
from traceloc_plugins.records import bounded, id_field, split_truth

_LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_HANDLED = frozenset(
    {
        "id",
        "epoch",
        "uuid",
        "input",
        "target",
        "messages",
        "output",
        "scores",
        "score",
        "events",
        "events_data",
        "attachments",
        "error",
        "store",
    }
)

_OF_ALL_SAMPLES = frozenset({"eval", "plan", "results", "stats", "reductions", "version"})
"""Parts of a log's header that are told elsewhere, or that sum up all its samples."""

_SHARED_SIZE = 64 * 1024
"""Characters of what a log says of all its samples, which is kept with each of them."""


class Log(NamedTuple):
    """What a log says of all its samples; read once, however many they are."""

    version: str
    task: str | None
    run: str | None
    attributes: dict[str, Any]
    fits: bool
    """Whether that is short enough to be kept with each sample."""


def read_log(header: Any) -> Log:
    """What stands in a log beside its samples."""
    header = header if isinstance(header, dict) else {}
    plan = header["eval"] if isinstance(header.get("eval"), dict) else {}
    told = {key: plan[key] for key in ("task", "model", "created", "eval_id") if plan.get(key)}
    others = {key: value for key, value in header.items() if key not in _OF_ALL_SAMPLES}
    fits = is_small([told, others], size=_SHARED_SIZE)
    attributes: dict[str, Any] = {}
    if fits and told:
        attributes["eval"] = bounded(told)
    if fits and (kept := split_truth(bounded(others), whole_trace=True).attributes):
        attributes["log"] = kept
    return Log(
        f"v{header.get('version', '?')}"[:16],
        word(plan.get("task")),
        word(plan.get("run_id")),
        attributes,
        fits,
    )


def read_sample(source: Source, log: Log, sample: dict[str, Any]) -> Trace:
    """The trace of one sample in one epoch."""
    builder = TraceBuilder(format="inspect_ai", source=source.path, dialect=log.version)
    if not log.fits:
        builder.note("skipped", "what the log says of all samples is too long to stand with each")
    pool = Pool(sample)
    events = sample.get("events")
    task = _words(pool, sample.get("input"))
    if isinstance(events, list) and any(_is_work(event) for event in events):
        reader = EventReader(builder, pool, source.path)
        reader.ask(sample.get("input"))
        reader.read(events)
    else:
        builder.note(
            "missing",
            "the log holds no events: steps are read from the messages; recent versions of "
            "Inspect log them without being asked",
        )
        _read_messages(builder, pool, sample.get("messages"))
    error = sample.get("error")
    if error:
        told = text_of(bounded(error.get("message") if isinstance(error, dict) else error))
        _keep_error(builder, told, len(events) if isinstance(events, list) else 0)
    attributes = {**_keep_facts(builder, pool, sample), **log.attributes}
    if error:
        builder.outcome("failed", source="error", detail=told[:500] or None)
    id, epoch = id_field(sample, "id"), id_field(sample, "epoch")
    return builder.build(
        id=f"{id}_epoch_{epoch}" if id and epoch else id or word(sample.get("uuid")),
        task=task,
        system=log.task,
        session_id=log.run,
        attributes=attributes,
    )


def _is_work(event: Any) -> bool:
    kind = event.get("event") if isinstance(event, dict) else None
    return kind in ("model", "tool", "subtask", "error")


def _words(pool: Pool, given: Any) -> str | None:
    """The request: a text, or the last thing a person says in a list of messages."""
    if isinstance(given, list):
        asked = [m for m in given if isinstance(m, dict) and m.get("role") == "user"]
        given = asked[-1].get("content") if asked else None
    return text_of(bounded(pool.resolve(given))) or None


def _read_messages(builder: TraceBuilder, pool: Pool, messages: Any) -> None:
    chat = ChatReader(builder)
    for index, message in enumerate(messages if isinstance(messages, list) else []):
        if isinstance(message, dict):
            chat.add(as_chat_message(pool, message), index)


def _keep_error(builder: TraceBuilder, told: str, native: int) -> None:
    """What ended the sample, as a step, unless an event has said it."""
    if any(step.error and step.error.message == told[:4000] for step in builder.steps):
        return
    builder.agent("system", kind="system", attribution="role")
    error = declared_error(told or "error")
    builder.step(
        kind="event", role="system", agent="system", native_index=native, text=told, error=error
    )


def _keep_facts(builder: TraceBuilder, pool: Pool, sample: dict[str, Any]) -> dict[str, Any]:
    """Put target, scores and other ground truth aside; gives what else the sample says."""
    target = bounded(pool.resolve(sample.get("target")))
    builder.truth(expected=target if target not in ("", []) else None)
    scores = sample.get("scores")
    if scores is None and (single := sample.get("score")) is not None:
        scores = {"score": single}
    if isinstance(scores, dict) and scores:
        builder.truth(scores=bounded(scores))
        _keep_outcome(builder, scores)
    others = {key: bounded(value) for key, value in sample.items() if key not in _HANDLED}
    attributes, truth = split_truth(others, whole_trace=True)
    if truth:
        builder.truth(**truth)
    for key in ("started_at", "completed_at"):
        if (time := moment(attributes.get(key))) is not None:
            attributes[key] = time.isoformat()
    return attributes


def _keep_outcome(builder: TraceBuilder, scores: dict[str, Any]) -> None:
    """Passed where every scorer gave full marks; unknown where one gives no mark at all."""
    marks = {name: _mark(score) for name, score in scores.items()}
    known = [mark for mark in marks.values() if mark is not None]
    if not known or (len(known) < len(marks) and min(known) >= 1):
        return
    builder.outcome(
        "passed" if min(known) >= 1 else "failed",
        source="score",
        score=min(known),
        detail=", ".join(marks)[:200],
    )


def _mark(score: Any) -> float | None:
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if value in _LETTERS:
            return _LETTERS[value]
        return {"correct": 1.0, "incorrect": 0.0, "yes": 1.0, "no": 0.0}.get(value.lower())
    return amount(value)
