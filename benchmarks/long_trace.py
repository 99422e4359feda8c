"""One very long trace: how time and memory grow from 100,000 to 1,000,000 steps.

    python benchmarks/long_trace.py [--format chat] [--steps 100000,1000000]

The trace is made up: words drawn by Zipf's law, numbers, names, links, a tool call every few steps
and now and then an error. Each size is localized end to end by ``traceloc scan`` in a process of
its own, from a file on disk to the written report.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from record import write_result

SCAN = "from traceloc.cli import main; main()"
TARGET_RATIO = 12.0
TARGET_GIB = 3.0
AGENTS = ("planner", "researcher", "coder", "reviewer")
SYLLABLES = (
    "ba",
    "con",
    "de",
    "fer",
    "gra",
    "in",
    "lo",
    "mi",
    "nor",
    "pe",
    "qua",
    "re",
    "sta",
    "tu",
)


class Run(NamedTuple):
    """One scan."""

    seconds: float
    cpu: float
    """Seconds of processor time, which a busy machine stretches less."""
    peak: float
    """GiB of resident memory at most."""
    size: int
    """Bytes of the file."""


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--format", choices=["chat", "native", "both"], default="both")
    parser.add_argument("--steps", default="100000,1000000")
    parser.add_argument("--model", help="ranking model; the shipped one if left out")
    parser.add_argument("--keep", type=Path, help="folder to write the traces to and keep them in")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.steps.split(",")]
    formats = ["chat", "native"] if arguments.format == "both" else [arguments.format]
    rows: list[tuple[object, ...]] = [
        ("format", "steps", "file MB", "seconds", "cpu s", "peak GiB")
    ]
    notes = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for format in formats:
            runs = [measure(folder, format, size, arguments.model) for size in sizes]
            for size, run in zip(sizes, runs, strict=True):
                times = (f"{run.seconds:.1f}", f"{run.cpu:.1f}")
                mega = f"{run.size / 1e6:.0f}"
                rows.append((format, f"{size:,}", mega, *times, f"{run.peak:.2f}"))
            ratio = runs[-1].seconds / runs[0].seconds
            cpu = runs[-1].cpu / runs[0].cpu
            peak = max(run.peak for run in runs)
            notes.append(
                f"{format}: {sizes[-1] / sizes[0]:g} times the steps, {ratio:.1f} times the time "
                f"({cpu:.1f} times the processor time) "
                f"(at most {TARGET_RATIO:g}: {'met' if ratio <= TARGET_RATIO else 'missed'}), "
                f"{peak:.2f} GiB at most (at most {TARGET_GIB:g}: "
                f"{'met' if peak <= TARGET_GIB else 'missed'})"
            )
    write_result("long_trace", title="One very long trace", rows=rows, notes=notes)


def measure(folder: Path, format: str, steps: int, model: str | None) -> Run:
    """Write a trace and scan it."""
    path = folder / f"{format}-{steps}.{'json' if format == 'chat' else 'jsonl'}"
    if not path.exists():
        write_trace(path, format=format, steps=steps)
    command = [sys.executable, "-c", SCAN, "scan", str(path), "--format", "json"]
    command += ["--model", model] if model else []
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        report = json.load(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode or report["attributions"][0]["n_steps"] != steps:
        raise SystemExit(f"the scan of {path} failed: code {process.returncode}, {report}")
    unit = 1 if sys.platform == "darwin" else 1024
    cpu = usage.ru_utime + usage.ru_stime
    return Run(seconds, cpu, usage.ru_maxrss * unit / 2**30, path.stat().st_size)


def write_trace(path: Path, *, format: str, steps: int) -> None:
    """A chat as one JSON list of messages, or a native trace with a line for each step."""
    messages = make_messages(steps)
    with path.open("w", encoding="utf-8") as stream:
        if format == "chat":
            stream.write("[")
            for index, message in enumerate(messages):
                stream.write(f"{',' if index else ''}\n{json.dumps(message)}")
            stream.write("\n]\n")
            return
        agents = [{"name": name, "kind": "worker"} for name in AGENTS]
        agents += [{"name": "user", "kind": "human"}, {"name": "search", "kind": "tool"}]
        header = {"schema_version": 1, "id": f"long-{steps}", "format": "native", "agents": agents}
        stream.write(json.dumps(header) + "\n")
        for index, message in enumerate(messages):
            stream.write(json.dumps(as_step(message, index)) + "\n")


def make_messages(steps: int) -> Iterator[dict[str, Any]]:
    """Messages of about 200 characters; the same ones each time."""
    source = random.Random(0)
    words = ["".join(source.choices(SYLLABLES, k=source.randint(1, 4))) for _ in range(20_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    yield {"role": "user", "content": make_text(source, words, weights)}
    call = None
    for index in range(1, steps):
        text = make_text(source, words, weights)
        if call is not None:
            if source.random() < 0.02:
                text = f"Error: request failed with status 503 for {text[:80]}"
            yield {"role": "tool", "tool_call_id": call, "name": "search", "content": text}
            call = None
            continue
        message = {"role": "assistant", "name": source.choice(AGENTS), "content": text}
        if source.random() < 0.2 and index + 1 < steps:
            call = f"call_{index}"
            asked = json.dumps({"query": text[:40], "limit": source.randint(1, 99)})
            function = {"name": "search", "arguments": asked}
            message["tool_calls"] = [{"id": call, "type": "function", "function": function}]
            message["content"] = text[:120]
        yield message


def make_text(source: random.Random, words: list[str], weights: list[float]) -> str:
    """About 200 characters: words, and values that may or may not have occurred before."""
    said = source.choices(words, cum_weights=weights, k=26)
    said[0] = said[0].capitalize()
    said[7] = str(source.randint(13, 200_000))
    if source.random() < 0.5:
        said[13] = said[13].capitalize()
    if source.random() < 0.1:
        said[21] = f"https://{said[22]}.example/{source.randint(1, 10**6)}"
    return f"{' '.join(said)}."


def as_step(message: dict[str, Any], index: int) -> dict[str, Any]:
    """A message as a step of traceloc's own format."""
    step = {"index": index, "native_index": index, "text": message["content"]}
    if message["role"] == "tool":
        result = {"name": "search", "call_id": message["tool_call_id"], "call_step": index - 1}
        return step | {
            "kind": "result",
            "role": "tool",
            "agent": "search",
            "tool_result": result,
        }
    step |= {"kind": "message", "role": message["role"], "agent": message.get("name", "user")}
    for call in message.get("tool_calls", ()):
        arguments = json.loads(call["function"]["arguments"])
        made = {"id": call["id"], "name": "search", "arguments": arguments}
        step |= {"kind": "action", "tool_calls": [made | {"result_step": index + 1}]}
    return step


if __name__ == "__main__":
    main()
