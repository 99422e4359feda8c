"""How the time of a load grows with the file: one trace that is longer, and more traces.

    python benchmarks/linearity.py [--bytes 200000] [--only NAME]

A valid document is repeated 1, 4 and 16 times, with ids of its own each time: its longest list
within one trace, and the whole document as several traces. What grows by more than 1.5 times the
size asks for a look.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from record import write_result
from seedlings import Seedling, gather
from shared_data import SHARED

from traceloc.errors import TraceFormatError
from traceloc.loading import Source
from traceloc.registry import Registry
from traceloc.testing import damage

COLLECTOR = (100_000, 20, 50)
"""As the command sets it; by default the garbage collector adds up to the double."""
TIMES = (1, 4, 16)
TARGET = 1.5
RUNS = 3
LARGEST = 400_000
_ID_KEY = re.compile(r"id$|ids$|uuid|parent|dotted_order|^cause$|ref$", re.IGNORECASE)
_WHOLE_RUN = re.compile(r"trace|session|thread|conversation|project|agent|model|task|app", re.I)
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F-]{8,}")


class Growth(NamedTuple):
    """Times of one kind of document at each size."""

    name: str
    way: str
    sizes: list[int]
    seconds: list[float]
    steps: list[int]

    @property
    def ratios(self) -> list[float]:
        """Of each size to the one before: growth of time by growth of size."""
        pairs = zip(self.seconds, self.seconds[1:], strict=False)
        grown = zip(self.sizes, self.sizes[1:], strict=False)
        return [(b / a) / (y / x) for (a, b), (x, y) in zip(pairs, grown, strict=True)]


def main() -> int:
    """Measure, print and write the result; 1 if something grows faster than it should."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bytes", type=int, default=200_000, help="size of the smallest file")
    parser.add_argument("--only", help="part of the name of a document")
    parser.add_argument("--default-collector", action="store_true", help="leave it as Python does")
    arguments = parser.parse_args()
    if not arguments.default_collector:
        gc.set_threshold(*COLLECTOR)
    registry = Registry(strict=True)
    rows: list[tuple[object, ...]] = [
        ("document", "grows by", "MB", "ms", "steps", "time / size, x4", "time / size, x16")
    ]
    steep, flat = [], []
    for seedling in choose(gather(registry, samples=SHARED / "samples", largest=LARGEST)):
        if arguments.only and arguments.only not in f"{seedling.loader} {seedling.label}":
            continue
        for way in ("length", "traces"):
            growth = measure(registry, seedling, way, arguments.bytes)
            if growth is None:
                flat.append(f"{seedling.label} ({way})")
                continue
            megabytes = " ".join(f"{size / 1e6:.1f}" for size in growth.sizes)
            milliseconds = " ".join(f"{1000 * seconds:.0f}" for seconds in growth.seconds)
            steps = " ".join(map(str, growth.steps))
            ratios = [f"{ratio:.2f}" for ratio in growth.ratios]
            rows.append((growth.name, way, megabytes, milliseconds, steps, *ratios))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
            if max(growth.ratios) > TARGET:
                steep.append(f"{growth.name} ({way}) {max(growth.ratios):.2f}")
    write_result(
        "linearity" if not arguments.only else "linearity_part",
        title="Loading against the size of the file",
        rows=rows,
        notes=[
            f"processor time, best of {RUNS}, garbage collector as "
            f"{'Python' if arguments.default_collector else 'the command'} sets it; "
            f"1.00 is linear; above {TARGET:g}: "
            f"{', '.join(steep) or 'none'}",
            f"not grown, because the document has no list, is no JSON, or gives no more steps: "
            f"{', '.join(flat) or 'none'}",
        ],
    )
    return int(bool(steep))


def choose(seedlings: list[Seedling]) -> Iterator[Seedling]:
    """Documents of one file: all of the tests' own, and of each folder and dialect some samples."""
    seen: dict[str, int] = {}
    for seedling in seedlings:
        if len(seedling.files.content) > 1 or seedling.label.startswith("_"):
            continue
        folder = seedling.label.rpartition("/")[0]
        seen[folder] = seen.get(folder, 0) + 1
        if not folder or seen[folder] <= 6:
            yield seedling


def measure(registry: Registry, seedling: Seedling, way: str, smallest: int) -> Growth | None:
    """Load a document at each size."""
    loader = registry.get("loaders", seedling.loader)
    data = seedling.files.first
    unit = len(grow(data, way, 2) or b"") - len(grow(data, way, 1) or b"")
    if unit <= 0:
        return None
    base = max(1, smallest // unit)
    sizes, seconds, steps = [], [], []
    for times in TIMES:
        content = grow(data, way, base * times)
        if content is None:
            return None
        best = float("inf")
        for _ in range(RUNS):
            source = Source("-", content=content)
            gc.collect()
            begin = time.process_time()
            try:
                count = sum(len(trace.steps) for trace in loader.load([source]))
            except TraceFormatError:
                return None
            best = min(best, time.process_time() - begin)
        sizes.append(len(content))
        seconds.append(best)
        steps.append(count)
    if steps[-1] < 2 * max(1, steps[0]):
        return None
    return Growth(seedling.label, way, sizes, seconds, steps)


def grow(data: bytes, way: str, times: int) -> bytes | None:
    """The document with its longest list, or itself, so many times."""
    parsed = damage.parse(data)
    if parsed is None:
        return _grow_text(data, times) if way == "length" and b"\x00" not in data else None
    values, lines = parsed
    if way == "traces":
        every = ids_in(values, whole=True)
        copies = [rename(value, every, n) for n in range(times) for value in values]
        if not lines and isinstance(values[0], list) and values[0] and _is_flat(values[0]):
            return None  # a list of messages: twice the list is one longer trace
        return _as_lines(copies)
    place = _longest_list(values)
    if place is None and not lines:
        return None
    items = values if place is None or (lines and len(values) > 2) else place
    # What is named outside of the list is what the items have in common.
    outside = json.dumps([value for value in values if value is not items], default=str)
    own = ids_in(items, whole=False)
    if items is not values:
        inner = json.dumps(items)
        own = {id for id in own if outside.count(id) <= inner.count(id)}
    grown = [rename(item, own, n) for n in range(times) for item in items]
    if items is values:
        return _as_lines(grown)
    items[:] = grown
    return _as_lines(values) if lines else json.dumps(values[0]).encode()


def _grow_text(data: bytes, times: int) -> bytes:
    return b"\n".join([data] * times)


def _as_lines(values: list[Any]) -> bytes:
    return "\n".join(map(json.dumps, values)).encode()


def _is_flat(items: list[Any]) -> bool:
    return all(isinstance(item, dict) for item in items)


def _longest_list(values: Any) -> list[Any] | None:
    """The list of objects that holds most."""
    best, size = None, 0
    waiting = [values] if not isinstance(values, list) else list(values)
    for value in waiting:
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
            if value and _is_flat(value) and (long := len(json.dumps(value))) > size:
                best, size = value, long
    return best


def ids_in(values: Any, *, whole: bool) -> set[str]:
    """Texts that stand under a key for ids; with those of whole runs, or without."""
    found: set[str] = set()
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key, value in item.items():
                if isinstance(value, str) and value and _ID_KEY.search(key):
                    if whole or not _WHOLE_RUN.search(key):
                        found.add(value)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    if not whole:
        found -= _values_under(values, _WHOLE_RUN)
    return {id for id in found if len(id) < 400}


def _values_under(values: Any, keys: re.Pattern[str]) -> set[str]:
    found: set[str] = set()
    waiting = [values]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found |= {v for k, v in item.items() if isinstance(v, str) and keys.search(k)}
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return found


def rename(value: Any, ids: set[str], number: int) -> Any:
    """The same value with ids of its own."""
    if number == 0:
        return value
    if isinstance(value, dict):
        return {key: rename(inner, ids, number) for key, inner in value.items()}
    if isinstance(value, list):
        return [rename(inner, ids, number) for inner in value]
    if not isinstance(value, str) or value not in ids:
        return value
    if not _HEX.fullmatch(value):
        return f"{value}-{number}"
    digits = iter(hashlib.shake_128(f"{value}{number}".encode()).hexdigest(len(value)))
    start = 2 if value.startswith("0x") else 0
    return value[:start] + "".join(c if c == "-" else next(digits) for c in value[start:])


if __name__ == "__main__":
    sys.exit(main())
