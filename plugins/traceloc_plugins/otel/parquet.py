"""Rows of Phoenix' ``get_spans_dataframe()``, saved as Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from typing import Any

from traceloc.loading import Source
from traceloc.loading.source import EXPANSION_FLOOR, MAX_EXPANSION

MAGIC = b"PAR1"
_NEEDED = ("context.span_id", "context.trace_id")
_ROWS = 64
"""Rows decoded at a time; each may repeat a long history."""


def read_rows(source: Source) -> Iterator[dict[str, Any]]:
    """The rows as the same objects that JSON lines would hold, in file order.

    Raises:
        TraceFormatError: If pyarrow is missing, or nothing of the file can be read.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise source.error(
            "is Parquet, which needs the 'pyarrow' package",
            code="TL102",
            hint="pip install 'traceloc[parquet]', or save the spans as JSON lines",
        ) from error
    data = source.read()
    limit = max(EXPANSION_FLOOR, MAX_EXPANSION * len(data))
    given = 0
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        names = file.schema_arrow.names
        if missing := [name for name in _NEEDED if name not in names]:
            raise source.error(
                f"has no column {missing[0]!r}; expected Phoenix' dataframe of spans", code="TL106"
            )
        for batch in file.iter_batches(batch_size=_ROWS):
            given += batch.nbytes
            if given > limit:
                raise source.error(
                    f"expands to more than {MAX_EXPANSION} times its size; refused as a possible "
                    "bomb",
                    code="TL108",
                )
            yield from _rows(source, pyarrow, batch)
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        if not given:
            raise source.error(f"is not readable Parquet: {reason}", code="TL103") from error
        source.report(f"cannot be read further: {reason}", code="TL103")


def _rows(source: Source, pyarrow: Any, batch: Any) -> Iterator[dict[str, Any]]:
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pyarrow.types.is_timestamp(column.type):
            # A count since 1970: nanoseconds have no place in a datetime.
            column = column.cast(pyarrow.int64())
        try:
            columns[name] = column.to_pylist()
        except (ValueError, OverflowError, pyarrow.ArrowException):
            source.report(f"column {name!r} holds values that cannot be read", code="TL120")
    for number in range(batch.num_rows):
        row = {name: _plain(values[number]) for name, values in columns.items()}
        yield {name: value for name, value in row.items() if value is not None}


def _plain(value: Any) -> Any:
    """JSON without what a table fills up its cells with: nothing, no number, empty objects."""
    if isinstance(value, dict):
        inner = {
            str(key): plain for key, item in value.items() if (plain := _plain(item)) is not None
        }
        return inner or None
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if value == value else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, date | time) else str(value)
