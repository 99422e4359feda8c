"""OTLP as protobuf: what exporters send, and what a collector's ``file`` exporter can write.

A message of traces or logs is a row of resources, each of which is parsed by itself, so that a file
that breaks off is read up to there. The collector puts four bytes of length before each message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from traceloc.loading import Head, Source

_RESOURCE = 0x0A
"""Tag of field 1, with a length: the resources of a message, the resource of each."""
_INSIDE = (0x0A, 0x12)
"""What a resource's group begins with: the resource, or its first scope."""
_WORDS = (b"service.name", b"telemetry.sdk.", b"gen_ai.", b"openinference.", b"traceloop.")
_MAX_RECORD = 256 * 1024 * 1024


def looks_like_otlp(head: Head) -> bool:
    """Whether a file begins like OTLP in protobuf, with or without a length in front."""
    data = head.data
    if head.documents or not any(word in data for word in _WORDS):
        return False
    return any(_begins_message(data[skip:]) for skip in (0, 4))


def read_messages(source: Source) -> Iterator[dict[str, Any]]:
    """Resources with their spans or log records, as OTLP's JSON encoding has them.

    Raises:
        TraceFormatError: If the package is missing, or nothing of the file can be read.
    """
    try:
        from google.protobuf.json_format import MessageToDict
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
        from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
    except ImportError as error:
        raise source.error(
            "is OTLP in protobuf, which needs the 'opentelemetry-proto' package",
            code="TL102",
            hint="pip install 'traceloc[otlp]', or export as JSON",
        ) from error
    found = 0
    for offset, record in _records(source, source.read()):
        for key, inside, kind in (
            ("resourceSpans", "scopeSpans", ResourceSpans),
            ("resourceLogs", "scopeLogs", ResourceLogs),
        ):
            try:
                group = MessageToDict(kind.FromString(record))
            except (DecodeError, ValueError, RecursionError):
                continue
            if _has_ids(group, inside):
                found += 1
                yield {key: [group]}
                break
        else:
            source.report("a record is no OTLP span or log", code="TL120", byte=offset)
    if not found:
        raise source.error("holds no spans of OTLP in protobuf", code="TL106")


def _records(source: Source, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The resources of all messages, with the place where each begins."""
    position, end = 0, len(data)
    framed = not _begins_message(data) and _begins_message(data[4:])
    stop = 0
    while position < end:
        if framed and position >= stop:
            stop = position + 4 + int.from_bytes(data[position : position + 4])
            position += 4
            continue
        if data[position] != _RESOURCE:
            source.report("breaks off or is damaged", code="TL103", byte=position)
            return
        length, start = _varint(data, position + 1)
        if length > _MAX_RECORD or start + length > end:
            source.report("breaks off or is damaged", code="TL103", byte=position)
            return
        yield position, data[start : start + length]
        position = start + length


def _begins_message(data: bytes) -> bool:
    if data[:1] != bytes([_RESOURCE]):
        return False
    length, start = _varint(data, 1)
    return length > 1 and data[start : start + 1] in (bytes([tag]) for tag in _INSIDE)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and where it ends; too large a one where it is none."""
    value = 0
    for shift in range(0, 35, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    return _MAX_RECORD + 1, position


def _has_ids(group: dict[str, Any], inside: str) -> bool:
    """Whether what was parsed is what it was taken for: logs parse as spans without ids."""
    items = "spans" if inside == "scopeSpans" else "logRecords"
    return any(
        isinstance(item, dict) and item.get("traceId")
        for scope in group.get(inside, ())
        for item in scope.get(items, ())
    )
