"""Where the spans of a framework go: a file of OTLP/JSON lines, as the collector writes it.

Run by the interpreters of the frameworks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


@contextmanager
def record_spans(path: Path) -> Iterator[TracerProvider]:
    """A provider whose spans are in ``path`` when the block is over."""
    from opentelemetry.exporter.otlp.json.file.trace_exporter import FileSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "interlibrary-loans"}))
    provider.add_span_processor(BatchSpanProcessor(FileSpanExporter(path)))
    try:
        yield provider
    finally:
        provider.shutdown()
