"""A file of 1 GB with 10,000 traces: when the first result comes, what memory the scan takes.

    python benchmarks/large_files.py [--formats chat,native] [--traces 10000] [--megabytes 1000]

Each format is written once and read by ``traceloc scan --format jsonl`` in a process of its own.
Then the same file is sniffed by all loaders. The traces are made up: Zipf-distributed words, a tool
call every few steps and now and then an error.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from long_trace import SYLLABLES, as_step
from record import write_result

SCAN = "from traceloc.cli import main; main()"
TARGET_FIRST = 2.0
TARGET_MIB = 500.0
TARGET_SNIFF_MS = 5.0
TARGET_SNIFF_BYTES = 64 * 1024
STEPS = 40
"""Of each trace; their texts are as long as the size of the file asks for."""
SNIFFS = 21


class Run(NamedTuple):
    """One scan."""

    first: float
    """Seconds until the first result was read."""
    cpu: float
    """Seconds of processor time until then, which a busy machine stretches less."""
    seconds: float
    peak: float
    """MiB of resident memory at most, of all its processes together."""
    early: float
    """MiB after a hundred results: what does not grow from there on will not."""
    results: int
    whole: bool
    """Whether it was not ended before its end."""


class Sniff(NamedTuple):
    """One look at the start of a file."""

    milliseconds: float
    read: int
    """Bytes."""


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--formats", default="chat,native")
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, help="end each scan after so long, wherever it is")
    parser.add_argument("--keep", type=Path, help="folder to write the files to and keep them in")
    arguments = parser.parse_args()
    rows: list[tuple[object, ...]] = [
        (
            *("format", "MB", "traces", "first result, s", "the same, cpu s", "scan, s"),
            *("MiB after 100", "peak MiB", "sniff, ms", "sniff, bytes"),
        )
    ]
    missed = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for format in arguments.formats.split(","):
            path = folder / f"{format}-{arguments.traces}-{arguments.megabytes}.jsonl"
            if not path.exists():
                write_traces(path, format, arguments.traces, arguments.megabytes)
            warm(path)
            run, look = scan(path, arguments.seconds), sniff(path)
            size = path.stat().st_size / 1e6
            rows.append(
                (
                    *(
                        format,
                        f"{size:.0f}",
                        f"{run.results:,}",
                        f"{run.first:.2f}",
                        f"{run.cpu:.2f}",
                    ),
                    *(f"{run.seconds:.0f}", f"{run.early:.0f}", f"{run.peak:.0f}"),
                    *(f"{look.milliseconds:.2f}", f"{look.read:,}"),
                )
            )
            if run.whole and run.results != arguments.traces:
                raise SystemExit(f"{run.results} results of {arguments.traces} traces in {path}")
            missed += [
                f"{format}: {what}"
                for what, met in (
                    ("first result", run.first <= TARGET_FIRST),
                    ("memory", run.peak <= TARGET_MIB),
                    ("sniff time", look.milliseconds <= TARGET_SNIFF_MS),
                    ("sniff bytes", look.read <= TARGET_SNIFF_BYTES),
                )
                if not met
            ]
            if arguments.keep is None:
                path.unlink()
    write_result(
        "large_files",
        title="Large files of many traces",
        rows=rows,
        notes=[
            f"wanted: first result within {TARGET_FIRST:g} s of starting the process, at most "
            f"{TARGET_MIB:g} MiB, a sniff by all loaders of at most {TARGET_SNIFF_MS:g} ms that "
            f"reads at most {TARGET_SNIFF_BYTES:,} bytes: {'; '.join(missed) or 'all'} "
            f"{'missed' if missed else 'met'}",
            f"traces: those that were scanned; {arguments.traces:,} are in each file"
            + (
                f", and each scan was ended after {arguments.seconds:g} s"
                if arguments.seconds
                else ""
            ),
            "the file was read once before, so that no disk is measured",
            f"sniff: median of {SNIFFS}, from opening the file to the name of the loader",
        ],
    )


def warm(path: Path) -> None:
    """Read the file once, so that no disk is measured."""
    with path.open("rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def scan(path: Path, limit: float | None) -> Run:
    """Scan a file, and watch the memory of the process and of those it starts."""
    command = [sys.executable, "-c", SCAN, "scan", str(path), "--format", "jsonl"]
    peak, done = [0.0], threading.Event()
    first, cpu, results, early, whole = float("nan"), 0.0, 0, 0.0, True
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None

        def watch() -> None:
            while not done.wait(0.02):
                peak[0] = max(peak[0], sum(map(resident, family(process.pid))))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for line in process.stdout:
            if '"n_steps"' in line:
                if not results:
                    first, cpu = time.perf_counter() - begin, processor_time(process.pid)
                results += 1
                early = peak[0] if results <= 100 else early
            if limit is not None and time.perf_counter() - begin > limit:
                whole = False
                process.kill()
                break
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        done.set()
        watcher.join()
    unit = 1 if sys.platform == "darwin" else 1024
    highest = max(peak[0], usage.ru_maxrss * unit)
    seconds = time.perf_counter() - begin
    return Run(first, cpu, seconds, highest / 2**20, early / 2**20, results, whole)


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has taken, 0 where that cannot be told."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Resident bytes of a process, 0 where that cannot be told."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def sniff(path: Path) -> Sniff:
    """Ask all loaders about a file as if it had never been seen."""
    from traceloc.loading.sniffing import pick_loader
    from traceloc.loading.source import Source
    from traceloc.registry import Registry

    loaders = Registry().all("loaders")
    times, before, after = [], 0, 0
    for _ in range(SNIFFS):
        before = _bytes_read()
        begin = time.perf_counter()
        pick_loader(Source(str(path)), loaders)
        times.append(time.perf_counter() - begin)
        after = _bytes_read()
    # What asking costs is read too: the same question again tells how much.
    return Sniff(1000 * statistics.median(times), after - before - (_bytes_read() - after))


def _bytes_read() -> int:
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return int(lines[0].split()[1])


def write_traces(path: Path, format: str, traces: int, megabytes: int) -> None:
    """As many traces, one a line, of which each is a variation of a few hundred written ones."""
    source = random.Random(0)
    words = ["".join(source.choices(SYLLABLES, k=source.randint(1, 4))) for _ in range(20_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    length = max(20, megabytes * 10**6 // traces // STEPS - 300)
    texts = []
    for _ in range(500):
        said = source.choices(words, cum_weights=weights, k=length // 6)
        for place in range(3, len(said), 7):
            said[place] = str(source.randint(13, 200_000))
        texts.append(f"{' '.join(said)[: length - 1]}.")
    wrap = {"chat": _chat, "otel": _otel, "native": _native}[format]
    with path.open("w", encoding="utf-8") as stream:
        for number in range(traces):
            messages = list(_messages(source, texts, number))
            stream.write(json.dumps(wrap(messages, number)) + "\n")


def _messages(source: random.Random, texts: list[str], number: int) -> Iterator[dict[str, Any]]:
    agents = ("planner", "researcher", "coder", "reviewer")
    yield {"role": "user", "content": f"Task {number}: {source.choice(texts)}"}
    call = None
    for index in range(1, STEPS):
        text = source.choice(texts)
        if call is not None:
            failed = source.random() < 0.05
            text = f"Error: request failed with status 503 for {text[:80]}" if failed else text
            yield {"role": "tool", "tool_call_id": call, "name": "search", "content": text}
            call = None
            continue
        message = {"role": "assistant", "name": source.choice(agents), "content": text}
        if source.random() < 0.3 and index + 1 < STEPS:
            call = f"call_{index}"
            function = {"name": "search", "arguments": json.dumps({"query": text[:40]})}
            message["tool_calls"] = [{"id": call, "type": "function", "function": function}]
        yield message


def _chat(messages: list[dict[str, Any]], number: int) -> dict[str, Any]:
    return {"id": f"run-{number}", "messages": messages}


def _native(messages: list[dict[str, Any]], number: int) -> dict[str, Any]:
    steps = [as_step(message, index) for index, message in enumerate(messages)]
    names = dict.fromkeys(step["agent"] for step in steps)
    agents = [{"name": name, "kind": "worker"} for name in names]
    about = {"schema_version": 1, "id": f"run-{number}", "format": "native", "agents": agents}
    return about | {"steps": steps}


def _otel(messages: list[dict[str, Any]], number: int) -> dict[str, Any]:
    trace, start = f"{number + 1:032x}", 1_700_000_000_000_000_000
    spans = [_span(trace, 1, 0, start, "invoke_agent planner", {"operation.name": "invoke_agent"})]
    for index, message in enumerate(messages, 2):
        call = (message.get("tool_calls") or [None])[0]
        parts: list[dict[str, Any]] = [{"type": "text", "content": message["content"]}]
        if call is not None:
            asked = json.loads(call["function"]["arguments"])
            parts.append(
                {"type": "tool_call", "id": call["id"], "name": "search", "arguments": asked}
            )
        if message["role"] == "tool":
            fields = {
                "operation.name": "execute_tool",
                "tool.name": "search",
                "tool.call.id": message["tool_call_id"],
                "tool.call.result": message["content"],
            }
        else:
            said = json.dumps([{"role": "assistant", "parts": parts}])
            agent = message.get("name", "user")
            fields = {"operation.name": "chat", "agent.name": agent, "output.messages": said}
        spans.append(_span(trace, index, 1, start + index * 10**9, f"span {index}", fields))
    scope = {"scope": {"name": "shop"}, "spans": spans}
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}


def _span(
    trace: str, number: int, parent: int, start: int, name: str, fields: dict[str, str]
) -> dict[str, Any]:
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 10**9),
        "attributes": [
            {"key": f"gen_ai.{key}", "value": {"stringValue": value}}
            for key, value in fields.items()
        ],
    }


if __name__ == "__main__":
    main()
