"""What other readers make of the same files: numbers of events, and time for each megabyte.

    python3.12 -m venv .venv-peers
    .venv-peers/bin/pip install . zstandard inspect_ai inspect-scout 'harbor>=0.6' langchain-core
    .venv-peers/bin/python benchmarks/peers.py

An environment of its own, because the peers are large. Files are the real samples in
``TRACELOC_SHARED``. Both read the same file in one run, in turn, and the best of several times
counts; ours includes finding out whose format it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from linearity import grow
from record import write_result
from shared_data import SHARED

from traceloc import Trace, load
from traceloc.registry import Registry

RUNS = 5
REPEATED = {"duplicate", "copied_context"}
"""Flags of steps that stand in the file and happened elsewhere; no reader counts these."""
Counts = dict[str, int]


class Peer(NamedTuple):
    """Another reader of a format."""

    name: str
    package: str
    files: list[Path]
    read: Callable[[Path], Any]
    count: Callable[[Any], Counts]
    ours: Callable[[list[Trace]], Counts]


def main() -> int:
    """Compare, print and write the result; 1 if counts differ or we are slower."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    registry = Registry()
    registry.all("loaders")
    rows: list[tuple[object, ...]] = [
        (
            "peer",
            "files",
            "MB",
            "events of the peer",
            "ours",
            "peer, ms/MB",
            "ours, ms/MB",
            "ours / peer",
        )
    ]
    notes, failed = [], False
    scratch = tempfile.TemporaryDirectory()
    for peer in peers(Path(scratch.name)):
        theirs, mine = Counter[str](), Counter[str]()
        their_time = our_time = size = 0.0
        read = 0
        for path in peer.files:
            try:
                found = peer.read(path)
            except Exception as error:
                reason = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
                notes.append(f"{path.name}: {peer.package} cannot read it ({reason})")
                continue
            traces = read_ours(path, registry)
            counted, own = peer.count(found), peer.ours(traces)
            if counted != own:
                notes.append(f"{path.name}: {show(counted)} there, {show(own)} here")
            theirs.update(counted)
            mine.update(own)
            a, b = race(partial(peer.read, path), partial(read_ours, path, registry))
            their_time, our_time = their_time + a, our_time + b
            size += path.stat().st_size / 1e6
            read += 1
        if not read:
            continue
        failed = failed or theirs != mine or our_time > their_time
        rows.append(
            (
                *(f"{peer.name} ({peer.package} {version(peer.package)})", read, f"{size:.2f}"),
                *(show(theirs), show(mine)),
                *(f"{1000 * their_time / size:.1f}", f"{1000 * our_time / size:.1f}"),
                f"{our_time / their_time:.2f}",
            )
        )
    scratch.cleanup()
    write_result(
        "peers",
        title="The same files, read by others",
        rows=rows,
        notes=[
            "model: answers of a model, no grader's; tool: calls of tools, answered or "
            "not; runs: samples, sessions or trajectories; message: messages of any role",
            "inspect-scout makes no events for the tools of ATIF: only answers are compared there",
            "langchain-core: the sample, and the same with its messages repeated up to 1 MB",
            f"processor time, best of {RUNS} readings of each file, in turn; "
            "a ratio of at most 1.00 is wanted",
            *(notes or ["every file gives the same numbers"]),
        ],
    )
    return int(failed)


def read_ours(path: Path, registry: Registry) -> list[Trace]:
    """Our traces of a file."""
    return list(load(path, registry=registry, strict=True))


def peers(scratch: Path) -> Iterable[Peer]:
    """Those that are installed."""
    samples = SHARED / "samples"

    def files(folder: str, *patterns: str) -> list[Path]:
        return sorted(path for p in patterns for path in (samples / folder).glob(p))

    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        print("inspect_ai is not installed", file=sys.stderr)
    else:
        yield Peer(
            "read_eval_log",
            "inspect_ai",
            files("inspect_ai", "*.eval", "*.json"),
            lambda path: read_eval_log(str(path)),
            lambda log: _events(log.samples or [], runs=len(log.samples or [])),
            lambda traces: _steps(traces),
        )
    try:
        from inspect_scout.sources._atif.transcripts import atif
        from inspect_scout.sources._claude_code.transcripts import claude_code
    except ImportError:
        print("inspect-scout is not installed", file=sys.stderr)
    else:
        for name, source, found, kept in (
            (
                "claude_code",
                claude_code,
                files("claude_code", "*.jsonl"),
                ("runs", "model", "tool"),
            ),
            # Of this format it makes no events for tools.
            ("atif", atif, files("atif", "*.json"), ("runs", "model")),
        ):
            yield Peer(
                name,
                "inspect-scout",
                found,
                lambda path, source=source: asyncio.run(_drain(source(str(path)))),
                lambda found, kept=kept: _only(_events(found, runs=len(found)), kept),
                lambda traces, kept=kept: _only(_steps(traces), kept),
            )
    try:
        from langchain_core.load import load as load_objects
        from langchain_core.messages import messages_from_dict
    except ImportError:
        print("langchain-core is not installed", file=sys.stderr)
        return
    yield Peer(
        "messages_from_dict",
        "langchain-core",
        enlarge(files("langgraph", "langchain_messages_to_dict*.json"), scratch),
        lambda path: messages_from_dict(json.loads(path.read_bytes())),
        lambda messages: {"message": len(messages)},
        lambda traces: {"message": sum(len(trace.steps) for trace in traces)},
    )
    yield Peer(
        "load of a dumped state",
        "langchain-core",
        enlarge(files("langgraph", "langgraph_state_dumpd*.json"), scratch),
        lambda path: load_objects(json.loads(path.read_bytes())["values"], allowed_objects="core"),
        lambda values: {"message": len(values["messages"])},
        lambda traces: {"message": sum(len(trace.steps) for trace in traces)},
    )


def enlarge(paths: list[Path], folder: Path) -> list[Path]:
    """Small files, and the same ones with their messages many times: these say what a MB costs."""
    found = list(paths)
    for path in paths:
        data = path.read_bytes()
        larger = grow(data, "length", 10**6 // len(data) + 1)
        if larger is not None:
            copy = folder / path.name
            copy.write_bytes(larger)
            found.append(copy)
    return found


async def _drain(source: Any) -> list[Any]:
    return [transcript async for transcript in source]


def _events(runs_of: Iterable[Any], *, runs: int) -> Counts:
    found: Counter[str] = Counter()
    for run in runs_of:
        kinds = Counter(_own_events(run.events))
        if not kinds:  # a log without events has its messages only
            roles = Counter(message.role for message in run.messages)
            kinds = Counter({"model": roles["assistant"], "tool": roles["tool"]})
        found.update({"model": kinds["model"], "tool": kinds["tool"]})
    return {"runs": runs, "model": found["model"], "tool": found["tool"]}


def _only(counts: Counts, kept: Sequence[str]) -> Counts:
    return {name: counts[name] for name in kept}


def _own_events(events: Iterable[Any]) -> Iterable[str]:
    """Kinds of what the agents did: a grader's model is part of the verdict, not of the run."""
    grading: set[str] = set()
    in_step = 0
    for event in events:
        kind = event.event
        if kind == "span_begin" and (event.type == "scorer" or event.parent_id in grading):
            grading.add(event.id)
        elif kind == "step" and event.type == "scorer":
            in_step += 1 if event.action == "begin" else -1
        elif not in_step and event.span_id not in grading:
            yield kind


def _steps(traces: list[Trace]) -> Counts:
    steps = [step for trace in traces for step in trace.steps if not REPEATED & set(step.flags)]
    spoken = sum(
        step.role == "assistant" and step.kind in ("message", "action", "handoff", "thought")
        for step in steps
    )
    results = sum(step.kind == "result" for step in steps)
    results += sum(call.result_step is None for step in steps for call in step.tool_calls)
    return {"runs": len(traces), "model": spoken, "tool": results}


def race(theirs: Callable[[], Any], ours: Callable[[], Any]) -> tuple[float, float]:
    """Best seconds of each, of processor time: how busy the machine is is no matter."""
    best = [float("inf"), float("inf")]
    for _ in range(RUNS):
        for place, read in enumerate((theirs, ours)):
            begin = time.process_time()
            read()
            best[place] = min(best[place], time.process_time() - begin)
    return best[0], best[1]


def show(counts: Counts) -> str:
    """Counts as words."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
