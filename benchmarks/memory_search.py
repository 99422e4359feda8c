"""The failure memory by size: search, opening, disk, and the default embedder.

    python benchmarks/memory_search.py [--sizes 10000,100000,1000000] [--folder FOLDER]

The vectors are made up: one topic for each 1,000 schemata and one cluster for each 50, drawn on
the unit sphere of 384 dimensions. A cluster's centre is its topic plus 0.8 times noise, a vector
its cluster's centre plus 1.0 times noise, each made a unit vector again; noise is Gaussian of
length 1 on average. Queries are drawn likewise. Two members of a cluster so have a cosine of about
0.5, of a topic 0.3. Rows are schemata with context, questions and a sighting, of five systems.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from record import write_result

from traceloc.memory.embedders.hashed import HashedEmbedder
from traceloc.memory.schema import Context, Counts, ErrorSchema, Sighting, Signature
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Row
from traceloc.memory.vectors import bulk, index

DIMENSION = 384
STEPS = 50
BATCHES = 20
K = 10
CHUNK = 250_000
SYSTEMS = ("a", "b", "c", "d", "e")
TARGETS = {10_000: 15.0, 1_000_000: 25.0}
Vectors = NDArray[np.float32]

OPEN = """
import sys, time
import numpy as np
from traceloc.memory.sqlite_store import SqliteStore
query = np.load(sys.argv[2])
begin = time.perf_counter()
store = SqliteStore(sys.argv[1])
store.version()
opened = time.perf_counter()
store.nearest(query, k=10)
print(opened - begin, time.perf_counter() - begin)
"""


class Searched(NamedTuple):
    """How some batches were answered."""

    times: list[float]
    """Milliseconds of each."""
    cpu: list[float]
    """Milliseconds of processor time, which a busy machine stretches less."""
    found: list[list[str]]
    """Ids for each query."""


class Generator:
    """The vectors of a memory of some size."""

    def __init__(self, size: int) -> None:
        self._source = np.random.default_rng(0)
        topics = _unit(self._noise(max(size // 1000, 10)))
        clusters = max(size // 50, 50)
        chosen = topics[self._source.integers(0, len(topics), clusters)]
        self._centres = _unit(chosen + 0.8 * self._noise(clusters))

    def draw(self, count: int) -> Vectors:
        """Some vectors."""
        chosen = self._centres[self._source.integers(0, len(self._centres), count)]
        return _unit(chosen + self._noise(count))

    def _noise(self, count: int) -> Vectors:
        drawn = self._source.standard_normal((count, DIMENSION), dtype=np.float32)
        return drawn / np.float32(DIMENSION**0.5)


def main() -> None:
    """Measure, print and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep the memories there, to search them again; 6 GB at a million",
    )
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")]
    rows: list[tuple[object, ...]] = [
        (
            "schemata",
            "search of 50 steps, ms (median, 95%)",
            "processor time, ms",
            "in one system, ms",
            "recall@10",
            "in one system",
            "open, s",
            "and first answer, s",
            "bytes beyond the vector",
            "written in, s",
        )
    ]
    notes = [switch()]
    for size in sizes:
        if arguments.folder is not None:
            row, verdict = measure(size, arguments.folder / str(size))
        else:
            with tempfile.TemporaryDirectory() as folder:
                row, verdict = measure(size, Path(folder))
        rows.append(row)
        notes.append(verdict)
    notes.append(embedding())
    write_result("memory_search", title="The failure memory by size", rows=rows, notes=notes)


def measure(size: int, folder: Path) -> tuple[tuple[object, ...], str]:
    """Search a memory, filled first if it is not there yet."""
    home = folder / "memory"
    if not (folder / "batches.npy").exists():
        write(size, folder)
    kept = np.load(folder / "all.npy", mmap_mode="r")
    batches = list(np.load(folder / "batches.npy"))
    written = float((folder / "seconds").read_text())
    store = SqliteStore(home / "memory.db")
    store.nearest(batches[0], k=K)
    store.nearest(batches[0], k=K, system="a")
    everywhere = search(lambda batch: store.nearest(batch, k=K), batches)
    system = search(lambda batch: store.nearest(batch, k=K, system="a"), batches)
    truth = find_exact(kept, np.concatenate(batches), step=1)
    truth_a = find_exact(kept, np.concatenate(batches), step=len(SYSTEMS))
    recall = compare(everywhere.found, truth), compare(system.found, truth_a)
    np.save(folder / "query.npy", batches[0])
    opened = [run_open(home / "memory.db", folder / "query.npy") for _ in range(3)]
    disk = sum(file.stat().st_size for file in home.iterdir()) / size - 4 * DIMENSION
    median, slow = statistics.median(everywhere.times), sorted(everywhere.times)[-1 - BATCHES // 20]
    row = (
        f"{size:,}",
        f"{median:.1f}, {slow:.1f}",
        f"{statistics.median(everywhere.cpu):.1f}",
        f"{statistics.median(system.times):.1f}",
        f"{recall[0]:.3f}",
        f"{recall[1]:.3f}",
        f"{min(each[0] for each in opened):.3f}",
        f"{min(each[1] for each in opened):.2f}",
        f"{disk:,.0f}",
        f"{written:,.0f}",
    )
    target = TARGETS.get(size)
    checks = [("recall@10 of at least 0.95", min(recall) >= 0.95), ("2 KiB", disk <= 2048)]
    if target is not None:
        checks.insert(0, (f"{target:g} ms", median <= target))
    checks.append(("2 s to open and answer", min(each[1] for each in opened) <= 2))
    verdicts = ", ".join(f"{name}: {'met' if met else 'missed'}" for name, met in checks)
    return row, f"{size:,} schemata: {verdicts}"


def write(size: int, folder: Path) -> None:
    """Fill a memory, and keep its vectors, the queries and how long it took beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = Generator(size)
    kept = np.lib.format.open_memmap(
        folder / "all.npy", "w+", dtype=np.float32, shape=(size, DIMENSION)
    )
    store = SqliteStore(folder / "memory" / "memory.db")
    begin = time.perf_counter()
    for first in range(0, size, CHUNK):
        count = min(CHUNK, size - first)
        kept[first : first + count] = generator.draw(count)
        rows = list(make_rows(first, count))
        store.apply("import", put=rows, vectors=kept[first : first + count], stamp="made up")
        print(f"{first + count:,} of {size:,} written", file=sys.stderr)
    kept.flush()
    (folder / "seconds").write_text(str(time.perf_counter() - begin))
    np.save(folder / "batches.npy", np.stack([generator.draw(STEPS) for _ in range(BATCHES)]))


def search(
    ask: Callable[[Vectors], list[list[index.Neighbour]]], batches: list[Vectors]
) -> Searched:
    """Ask for each batch, and take the time."""
    times, cpu, found = [], [], []
    for batch in batches:
        begin, worked = time.perf_counter(), time.process_time()
        answer = ask(batch)
        times.append((time.perf_counter() - begin) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
        found += [[each.id for each in near] for near in answer]
    return Searched(times, cpu, found)


def find_exact(kept: Vectors, queries: Vectors, *, step: int) -> list[set[str]]:
    """Ids of the true neighbours among every ``step``-th row."""
    best = np.full((len(queries), K), -2.0, np.float32)
    places = np.zeros((len(queries), K), np.int64)
    for first in range(0, len(kept), CHUNK):
        scores = queries @ kept[first : first + CHUNK : step].T
        near = np.argpartition(scores, -K, axis=1)[:, -K:]
        scores = np.concatenate([best, np.take_along_axis(scores, near, 1)], axis=1)
        both = np.concatenate([places, first + near * step], axis=1)
        order = np.argpartition(scores, -K, axis=1)[:, -K:]
        best = np.take_along_axis(scores, order, 1)
        places = np.take_along_axis(both, order, 1)
    return [{name(place) for place in row} for row in places.tolist()]


def compare(found: list[list[str]], truth: list[set[str]]) -> float:
    """Share of the true neighbours that were found."""
    hits = [len(set(near) & true) / K for near, true in zip(found, truth, strict=True)]
    return statistics.mean(hits)


def run_open(path: Path, query: Path) -> tuple[float, float]:
    """Seconds to open a memory, and to the first answer, in a process of its own."""
    command = [sys.executable, "-c", OPEN, str(path), str(query)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    opened, answered = done.stdout.split()
    return float(opened), float(answered)


def switch() -> str:
    """Where looking at each row becomes slower than looking into clusters."""
    cells = []
    kept = index.BULK_FROM, bulk.EXACT_ROWS
    for size in (5_000, 10_000, 20_000, 40_000):
        generator = Generator(size)
        vectors = generator.draw(size)
        batches = [generator.draw(STEPS) for _ in range(BATCHES)]
        times = []
        for index.BULK_FROM, bulk.EXACT_ROWS in ((10**9, 10**9), (1, 1)):
            with tempfile.TemporaryDirectory() as folder:
                store = SqliteStore(Path(folder, "memory.db"))
                rows = [
                    Row(id=name(n), shelf="schema", system="a", text=str(n)) for n in range(size)
                ]
                store.apply("import", put=rows, vectors=vectors, stamp="made up")
                store.nearest(batches[0], k=K)
                answered = search(lambda batch, s=store: s.nearest(batch, k=K), batches)
                times.append(statistics.median(answered.cpu))
        cells.append(f"{size:,}: {times[0]:.1f} and {times[1]:.1f} ms")
    index.BULK_FROM, bulk.EXACT_ROWS = kept
    listed = "; ".join(cells)
    found = f"processor time of exact search, and of one through clusters: {listed}"
    return f"{found}; the switch is at {kept[0]:,}"


def embedding() -> str:
    """How long the default embedder takes for a step."""
    source = random.Random(0)
    words = [
        "".join(source.choices("abcdefghiklmnoprst", k=source.randint(2, 9))) for _ in range(5000)
    ]
    texts = [" ".join(source.choices(words, k=100))[:600] for _ in range(STEPS * BATCHES)]
    embedder = HashedEmbedder()
    weighed = embedder.with_state(embedder.weigh(texts))
    weighed.embed(texts[:STEPS])
    times = []
    for first in range(0, len(texts), STEPS):
        begin = time.perf_counter()
        weighed.embed(texts[first : first + STEPS])
        times.append((time.perf_counter() - begin) * 1000 / STEPS)
    median = statistics.median(times)
    verdict = "met" if median <= 0.4 else "missed"
    return f"default embedder: {median:.2f} ms a step of 600 characters (at most 0.4: {verdict})"


def make_rows(first: int, count: int) -> Iterator[Row]:
    """Schemata of the size they have in life."""
    source = random.Random(0)
    words = ["".join(source.choices("aeioulnrst", k=source.randint(2, 9))) for _ in range(5000)]

    def text(low: int, high: int) -> str:
        return " ".join(source.choices(words, k=high // 5))[: source.randint(low, high)]

    samples = [
        ErrorSchema(
            id="",
            system="a",
            title=text(40, 80),
            signature=Signature(
                text=text(80, 600), tool=source.choice(words), signals=("errors.tool_error",)
            ),
            context=Context(before=(text(40, 160), text(40, 160)), after=text(40, 160)),
            heuristics=(text(50, 120), text(50, 120)),
            fix=text(40, 120),
            origin="confirmed",
            counts=Counts(seen=3, hits=9, confirmed=2, rejected=1),
        )
        for _ in range(2000)
    ]
    for number in range(first, first + count):
        sample = samples[number % len(samples)]
        system = SYSTEMS[number % len(SYSTEMS)]
        seen = Sighting(locator=f"runs/{number}.json#5", origin="confirmed")
        schema = sample.model_copy(
            update={"id": name(number), "system": system, "sightings": (seen,)}
        )
        yield Row(
            id=name(number),
            shelf="schema",
            system=system,
            text=f"{number} {sample.signature.text}",
            schema_=schema,
            trace=f"{number:032x}",
        )


def name(number: int) -> str:
    """The id of a row."""
    return f"S{number:016x}"


def _unit(vectors: Vectors) -> Vectors:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
