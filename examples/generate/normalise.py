"""Make a recorded trace the same on every machine and at every time.

Ids become hashes in order of appearance, clock times move to a fixed clock in their order, and
what names the machine (paths, ports, addresses in memory) goes. Nothing else is touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

EPOCH = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""Where the fixed clock starts; each scenario starts on a day of its own after it."""

_PLACES = (
    (re.compile(r"(?:/[\w.+~-]+)+/site-packages/"), "site-packages/"),
    (re.compile(r"(?:/[\w.+~-]+)+/lib/python3\.\d+/"), "lib/python3/"),
    (re.compile(r"(?:/[\w.+~-]+)+/examples/generate/"), "examples/generate/"),
    (re.compile(r'(?<=lib/python3/)([^"\\\n]+\\*", line )\d+'), r"\g<1>1"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:8000"),
    (re.compile(r"\b0x[0-9a-f]{8,16}\b"), "0x0"),
)
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_LONG_HEX = re.compile(
    r"(?<![0-9a-zA-Z])(?:(?:trace|span|group)_)?(?:[0-9a-f]{32}|[0-9a-f]{24})"
    r"(?![0-9a-zA-Z])"
)
_ISO = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")

_SECONDS = re.compile(r"(?<![\w.])1\d{9}\.\d+(?![\w.])")


class Normaliser:
    """Rewrites what one run wrote.

    Args:
        slug: Name of the scenario; seeds ids and the clock's first day.
        since: When the run began, aware UTC.
        until: When it ended.
    """

    def __init__(self, slug: str, *, since: datetime, until: datetime) -> None:
        self.slug = slug
        self.start = EPOCH + timedelta(days=int(sha256(slug.encode()).hexdigest()[:4], 16) % 60)
        self._since, self._until = since, until
        self._ids: dict[str, str] = {}

    def rename(self, found: str) -> str:
        """The stand-in of id `found`, of the same shape."""
        if found not in self._ids:
            digest = sha256(f"{self.slug}:{len(self._ids)}".encode()).hexdigest()
            prefix, _, body = found.rpartition("_")
            letters = iter(digest)
            new = "".join(char if char == "-" else next(letters) for char in body)
            self._ids[found] = f"{prefix}_{new}" if prefix else new
        return self._ids[found]

    def clean_text(self, text: str) -> str:
        """`text` without ids, places and times of this run."""
        for pattern, instead in _PLACES:
            text = pattern.sub(instead, text)
        text = _UUID.sub(lambda match: self.rename(match[0]), text)
        return _LONG_HEX.sub(lambda match: self.rename(match[0]), text)

    def clean_document(self, document: Any) -> Any:
        """A JSON document with clean strings; its times of this run move to the fixed clock."""
        text = self.clean_text(json.dumps(document, ensure_ascii=False))
        stamps = sorted({m[0] for m in _ISO.finditer(text) if self._is_now(m[0])})
        places = {stamp: self.start + timedelta(seconds=4 * n) for n, stamp in enumerate(stamps)}
        text = _ISO.sub(
            lambda m: f"{places[m[0]]:%Y-%m-%dT%H:%M:%S}Z" if m[0] in places else m[0], text
        )
        return json.loads(text)

    def _is_now(self, stamp: str) -> bool:
        return self._since <= _read_stamp(stamp) <= self._until

    def clean_spans(self, lines: list[str]) -> list[str]:
        """OTLP/JSON lines with ids, times and strings of the fixed world."""
        batches = [json.loads(line) for line in lines]
        spans = [span for batch in batches for span in iterate_spans(batch)]
        self._move_times(spans)
        for span in spans:
            ends = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            span["attributes"] = self._move_stamps(span.get("attributes", []), ends)
        for span in spans:
            for key in ("traceId", "spanId", "parentSpanId"):
                if span.get(key):
                    span[key] = self.rename(span[key])
        return [
            json.dumps(self.clean_document(batch), ensure_ascii=False, separators=(",", ":"))
            for batch in batches
        ]

    def _move_stamps(self, attributes: Any, new: tuple[int, int]) -> Any:
        """`attributes` with each clock time of this run at its span's start, or end if it says so.

        The measured time would not do: on a busy machine it may lie nearer to the other end.
        """

        def move(match: re.Match[str]) -> str:
            if not self._is_now(match[0]):
                return match[0]
            says_end = "end_time" in match.string[max(0, match.start() - 50) : match.start()]
            moment = datetime.fromtimestamp(new[says_end] / 1e9, UTC)
            return moment.isoformat() if "-" in match[0] else str(moment.timestamp())

        text = json.dumps(attributes, ensure_ascii=False)
        moved = json.loads(_SECONDS.sub(move, _ISO.sub(move, text)))
        for pair in moved:
            if pair["key"] == "server.port":
                pair["value"] = {"intValue": "8000"}
            elif pair["key"].endswith("time_to_first_token"):
                pair["value"] = {"intValue": str((new[1] - new[0]) // 3_000_000)}
        return moved

    def _move_times(self, spans: list[dict[str, Any]]) -> None:
        points: list[tuple[int, int, dict[str, Any], str, timedelta]] = []
        for order, span in enumerate(spans):
            points.append(
                (int(span["startTimeUnixNano"]), -order, span, "startTimeUnixNano", _BLINK)
            )
            for event in span.get("events", ()):
                points.append((int(event["timeUnixNano"]), order, event, "timeUnixNano", _BLINK))
            end = (int(span["endTimeUnixNano"]), order, span, "endTimeUnixNano", _pace(span, order))
            points.append(end)
        clock = self.start
        for _, _, holder, key, pause in sorted(points, key=lambda point: point[:2]):
            clock += pause
            holder[key] = str(int(clock.timestamp()) * 10**9 + clock.microsecond * 1000)


def _read_stamp(stamp: str) -> datetime:
    if "-" not in stamp:
        return datetime.fromtimestamp(float(stamp), UTC)
    moment = datetime.fromisoformat(stamp.replace("Z", "+00:00").replace(" ", "T"))
    return moment if moment.tzinfo else moment.astimezone()


_BLINK = timedelta(milliseconds=2)


def _pace(span: dict[str, Any], order: int) -> timedelta:
    """How long before its end a span of this kind worked."""
    attributes = read_attributes(span)
    if is_model_call(attributes):
        tokens = attributes.get("gen_ai.usage.output_tokens")
        tokens = tokens or attributes.get("llm.token_count.completion") or 40
        return timedelta(milliseconds=650 + 14 * int(tokens))
    if "TOOL" in str(attributes.get("openinference.span.kind")) or (
        attributes.get("gen_ai.operation.name") == "execute_tool"
    ):
        return timedelta(milliseconds=140 + 37 * (order % 11))
    return _BLINK


def iterate_spans(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The spans of one OTLP/JSON object, in file order."""
    for resource in batch["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            yield from scope["spans"]


def read_attributes(span: dict[str, Any]) -> dict[str, Any]:
    """A span's scalar attributes as a flat dict."""
    return {
        pair["key"]: next(iter(pair["value"].values()), None) for pair in span.get("attributes", ())
    }


def is_model_call(attributes: dict[str, Any]) -> bool:
    """Whether a span with these attributes is one request to the model."""
    kind = attributes.get("openinference.span.kind")
    return kind == "LLM" or attributes.get("gen_ai.operation.name") == "chat"
