"""Reads evaluation logs of Inspect AI: a trace for each sample and epoch."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from traceloc.contracts import Content
from traceloc.loading import Head, Source
from traceloc.trace import Trace
from traceloc_plugins.facts import word
from traceloc_plugins.inspect_ai.archive import Archive, is_archive
from traceloc_plugins.inspect_ai.samples import Log, read_log, read_sample
from traceloc_plugins.records import drain

_STATUSES = frozenset({"started", "success", "error", "cancelled"})


class InspectAILoader:
    """Loader of ``.eval`` archives and JSON logs."""

    name = "inspect_ai"
    api_version = 1
    capture: Mapping[Content, str] = {
        "agents": "write the solver as an `@agent`, such as `react(name=…)`; a plain solver has "
        "no name",
        "instructions": "nothing to switch on: a system message is logged; the task has none",
        "schemas": "nothing to switch on in a log with events: they hold the tools of a request",
        "calls": "nothing to switch on: each call is logged; the samples made none",
        "results": "nothing to switch on: each result is logged; the samples made no call",
        "inputs": "a log without events does not hold it; recent versions log them unasked",
        "times": "a log without events has none; recent versions log them unasked",
        "usage": "a log without events has none; recent versions log them unasked",
        "outcome": "give the task a `scorer` that says correct or not, or run `inspect score` on "
        "the log",
    }

    def sniff(self, head: Head) -> float:
        """The first member of the archive, or an evaluation with its status."""
        if is_archive(head.data):
            return 0.98
        first = head.first
        if not isinstance(first, dict) or not isinstance(first.get("eval"), dict):
            return 0.0
        if {"version", "status"} <= first.keys() and word(first["status"]) in _STATUSES:
            return 0.97 if "task" in first["eval"] else 0.6
        return 0.0

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        """Yield the samples, each read by itself where they are members of an archive."""
        for source in sources:
            if is_archive(source.head().data):
                yield from _load_archive(source)
            else:
                yield from _load_json(source)


def _load_archive(source: Source) -> Iterator[Trace]:
    with source.open() as raw:
        # A directory at the end cannot be looked up in what is decompressed from its start.
        stream = raw if raw.seekable() else io.BytesIO(source.read())
        archive = Archive(source, stream)
        header: Any = None
        for name in ("header.json", "_journal/start.json"):
            if name in archive.members and header is None:
                header = archive.json(name)
        log = read_log(header)
        found = False
        for name in archive.members:
            if not (name.startswith("samples/") and name.endswith(".json")):
                continue
            found = True
            sample = archive.json(name)
            if isinstance(sample, dict):
                yield from _one(source, log, sample)
        if not found:
            source.report("log holds no finished sample yet", code="TL106")


def _load_json(source: Source) -> Iterator[Trace]:
    for value, line in source.documents():
        samples = value.get("samples") if isinstance(value, dict) else None
        if not isinstance(samples, list) or not samples:
            source.report("log holds no sample", code="TL106", line=line)
            continue
        log = read_log({key: item for key, item in value.items() if key != "samples"})
        for _, sample in drain(samples):
            if isinstance(sample, dict):
                yield from _one(source, log, sample)
            else:
                source.report("sample is no object", code="TL120", line=line)


def _one(source: Source, log: Log, sample: dict[str, Any]) -> Iterator[Trace]:
    try:
        trace = read_sample(source, log, sample)
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:120]
        source.report(f"sample cannot be read: {reason}", code="TL120")
        return
    if trace.steps:
        yield trace
    else:
        source.report("sample holds no step", code="TL106")
