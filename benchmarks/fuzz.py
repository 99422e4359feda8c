"""Random damage to real samples and to the tests' own documents, over all loaders.

    python benchmarks/fuzz.py [--count N | --seconds S] [--seed S]

Nothing but TraceFormatError may come out, within 2 s of processor time and 300 MiB + 20 x the file
of memory. Variant N of seed S is always the same, so that ``--seed S --only N`` shows a failure
again. The loads run in a process of their own, which is watched: its death is a failure too.
"""

from __future__ import annotations

import argparse
import gc
import math
import multiprocessing
import queue
import random
import resource
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from mutations import mutate
from seedlings import Seedling, gather
from shared_data import SHARED

from traceloc.errors import TraceFormatError
from traceloc.loading import Source
from traceloc.registry import Registry
from traceloc.testing import Files
from traceloc.testing.files import placed
from traceloc.testing.soundness import require_sound

SEED = 5
SECONDS = 2.0
FREE_MEMORY = 300 * 2**20
MEMORY_PER_BYTE = 20
ADDRESS_SPACE = 6 * 2**30
"""Beyond it an allocation fails: what runs away must not take the machine with it."""
PATIENCE = 60.0
"""Seconds without a finished variant after which the process is taken for hanging."""
EASY = 20_000
"""Bytes of a sample from which on it is drawn less often, because it takes longer."""
STRANGERS = 0.2
"""How often a variant is given to another loader than that of its format."""
BATCH = 500
"""Variants between two reports of the watched process."""
SOUNDNESS = 8
"""Of so many variants one is looked at closely."""


class Failure(NamedTuple):
    """A variant that did what none may."""

    number: int
    seedling: str
    loader: str
    what: str


@dataclass
class Tally:
    """What came of many variants."""

    loads: Counter[str] = field(default_factory=Counter)
    """By loader."""
    refused: Counter[str] = field(default_factory=Counter)
    """Those that ended in TraceFormatError."""
    slowest: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time."""
    memory: dict[str, float] = field(default_factory=dict)
    """Most memory in parts of what is allowed."""
    failures: list[Failure] = field(default_factory=list)
    done: int = 0

    def add(self, other: Tally) -> None:
        """Take in what another process found."""
        self.loads += other.loads
        self.refused += other.refused
        for mine, theirs in ((self.slowest, other.slowest), (self.memory, other.memory)):
            for name, value in theirs.items():
                mine[name] = max(value, mine.get(name, 0.0))
        self.failures += other.failures
        self.done += other.done


class Hang(BaseException):
    """Raised inside a loader that does not come to an end; not to be caught by it."""


class Fuzzer:
    """Makes variants and gives them to loaders.

    Args:
        registry: The loaders.
        seedlings: What variants are made of.
        seed: Of all chance.
    """

    def __init__(self, registry: Registry, seedlings: Sequence[Seedling], seed: int) -> None:
        self.loaders = {loader.name: loader for loader in registry.all("loaders")}
        self._seedlings = seedlings
        self._seed = seed
        sizes = [sum(len(data) for _, data in s.files.content) for s in seedlings]
        self._weights = [1 / (1 + size / EASY) for size in sizes]
        self._others = [s.files.first for s in seedlings if len(s.files.first) < EASY]

    def make(self, number: int) -> tuple[Seedling, str, Files, bool]:
        """A variant: what it was, the loader it is for, its files, and whether it lies on disk."""
        chance = random.Random(f"{self._seed}/{number}")
        (seedling,) = chance.choices(self._seedlings, self._weights)
        name = seedling.loader
        if chance.random() < STRANGERS:
            name = chance.choice(list(self.loaders))
        content = list(seedling.files.content)
        victim = chance.randrange(len(content))
        file, data = content[victim]
        content[victim] = (file, mutate(data, chance, self._others))
        on_disk = len(content) > 1 or (b"\x00" in data[:100] and chance.random() < 0.5)
        return seedling, name, Files(tuple(content)), on_disk

    def run(self, numbers: Iterator[int], tally: Tally) -> None:
        """Load variants, and note what came of them."""
        for number in numbers:
            seedling, name, files, on_disk = self.make(number)
            with _opened(files, on_disk=on_disk) as sources:
                wrong = self._load(name, sources, files, tally, closely=number % SOUNDNESS == 0)
            tally.loads[name] += 1
            tally.done += 1
            if wrong:
                tally.failures.append(Failure(number, seedling.label, name, wrong))

    def _load(
        self, name: str, sources: list[Source], files: Files, tally: Tally, *, closely: bool
    ) -> str | None:
        loader = self.loaders[name]
        traces: list[Any] = []
        size = sum(len(data) for _, data in files.content)
        wrong = None
        before, begin = _start_memory(), time.process_time()
        try:
            with _within(SECONDS):
                for source in sources:
                    score = loader.sniff(source.head())
                    if not (math.isfinite(score) and 0.0 <= score <= 1.0):
                        wrong = f"sniff gives {score!r}"
                    for key in loader.group_keys(source) if hasattr(loader, "group_keys") else ():
                        hash(key)
                traces = list(loader.load(sources))
        except TraceFormatError:
            tally.refused[name] += 1
        except Hang:
            wrong = f"is not done after {SECONDS:g} s"
        except (Exception, SystemExit) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            wrong = f"{type(error).__name__} in {place}: {str(error)[:120]}"
        seconds = time.process_time() - begin
        share = (_peak_memory() - before) / (FREE_MEMORY + MEMORY_PER_BYTE * size)
        tally.slowest[name] = max(seconds, tally.slowest.get(name, 0.0))
        tally.memory[name] = max(share, tally.memory.get(name, 0.0))
        if wrong is None and seconds > SECONDS:
            wrong = f"takes {seconds:.1f} s"
        if wrong is None and share > 1.0:
            wrong = f"takes {share:.1f} x the memory it may"
        if wrong is None and closely:
            try:
                for trace in traces[:20]:
                    require_sound(trace, what="it", damaged=True)
            except Exception as error:
                wrong = f"is unsound: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
        return wrong


def _opened(files: Files, *, on_disk: bool) -> AbstractContextManager[list[Source]]:
    if on_disk:
        return placed(files)
    return nullcontext([Source(name, content=data) for name, data in files.content])


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise :class:`Hang` after so much processor time, and again while it is swallowed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _start_memory() -> int:
    """Resident bytes now, from which the peak is counted."""
    try:
        Path("/proc/self/clear_refs").write_bytes(b"5")  # forget the peak so far
    except OSError:
        return _peak_memory()
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * resource.getpagesize()


def _peak_memory() -> int:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _serve(seed: int, first: int, end: int | None, until: float, progress: Any, found: Any) -> None:
    """The watched process: variants from the first on, until there are enough or time is up."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, resource.RLIM_INFINITY))
    registry = Registry(strict=True)
    fuzzer = Fuzzer(registry, gather(registry, samples=SHARED / "samples"), seed)
    gc.freeze()

    number = first
    while (end is None or number < end) and time.time() < until:
        tally = Tally()  # a new one each time: the queue writes the old one when it likes
        fuzzer.run(_watched(number, end, until, progress), tally)
        number += tally.done
        found.put(tally)
    found.put(None)


def _watched(number: int, end: int | None, until: float, progress: Any) -> Iterator[int]:
    """The next numbers, each told to who watches before it is used."""
    for following in range(number, min(number + BATCH, end or number + BATCH)):
        if time.time() >= until:
            return
        progress.value = following
        yield following


def fuzz(seed: int, first: int, count: int | None, seconds: float) -> Tally:
    """Variants in watched processes, one after the other; what kills one is a failure."""
    context = multiprocessing.get_context("spawn")
    progress = context.Value("q", first)
    end = None if count is None else first + count
    until = time.time() + seconds
    total, start, told = Tally(), first, time.time()
    while True:
        found: Any = context.Queue()
        process = context.Process(target=_serve, args=(seed, start, end, until, progress, found))
        process.start()
        reason, last, since, finished = "", -1, time.time(), False
        while True:
            try:
                batch = found.get(timeout=1.0)
            except queue.Empty:
                batch = False
            if batch is None:
                finished = True
                break
            if batch:
                total.add(batch)
            if progress.value != last:
                last, since = progress.value, time.time()
            if not batch and not process.is_alive():
                reason = f"the process died with code {process.exitcode}"
                break
            if time.time() - since > PATIENCE:
                reason = f"no end after {PATIENCE:g} s"
                process.kill()
                break
            if time.time() - told > 60:
                told = time.time()
                print(f"{total.done:,} done, {len(total.failures)} failures", file=sys.stderr)
                for failure in total.failures[-3:]:
                    print(f"  {failure}", file=sys.stderr, flush=True)
        process.join()
        if finished:
            return total
        # What it found since its last report is lost, and not counted as done.
        total.failures.append(Failure(progress.value, "?", "?", reason))
        start = progress.value + 1


def fuzz_side_by_side(seed: int, first: int, count: int, seconds: float, workers: int) -> Tally:
    """The same in parts, each with a watched process of its own."""
    bounds = [first + count * part // workers for part in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        parts = pool.map(
            lambda start, end: fuzz(seed, start, end - start, seconds), bounds, bounds[1:]
        )
        total = Tally()
        for part in parts:
            total.add(part)
    return total


def main() -> int:
    """Fuzz, print and write the result; 1 if anything failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--count", type=int, help="variants; as many as time allows if left out")
    parser.add_argument("--seconds", type=float, default=math.inf, help="time to stop after")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--first", type=int, default=0, help="number of the first variant")
    parser.add_argument("--workers", type=int, default=1, help="processes side by side")
    parser.add_argument("--only", type=int, help="load this variant, here, and show what comes")
    parser.add_argument("--save", type=Path, help="with --only: folder to write its files to")
    arguments = parser.parse_args()
    if arguments.only is not None:
        return show(arguments.seed, arguments.only, arguments.save)
    if arguments.count is None and math.isinf(arguments.seconds):
        arguments.count = 10_000
    begin = time.time()
    span = (arguments.seed, arguments.first, arguments.count, arguments.seconds)
    if arguments.workers > 1 and arguments.count is not None:
        tally = fuzz_side_by_side(*span, arguments.workers)
    else:
        tally = fuzz(*span)
    write(tally, arguments, time.time() - begin)
    return int(bool(tally.failures))


def show(seed: int, number: int, folder: Path | None) -> int:
    """Load one variant without a net."""
    registry = Registry(strict=True)
    fuzzer = Fuzzer(registry, gather(registry, samples=SHARED / "samples"), seed)
    seedling, name, files, on_disk = fuzzer.make(number)
    sizes = {file: len(data) for file, data in files.content}
    print(f"{seedling.label} for {name}: {sizes}")
    if folder is not None:
        for file, data in files.content:
            path = folder / file.replace("/", "_")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    begin = time.process_time()
    with _opened(files, on_disk=on_disk) as sources:
        for source in sources:
            print("sniff:", fuzzer.loaders[name].sniff(source.head()))
        for trace in fuzzer.loaders[name].load(sources):
            print(f"{time.process_time() - begin:.2f} s: {len(trace.steps)} steps, {trace.id}")
            require_sound(trace, what="it", damaged=True)
    print(f"{time.process_time() - begin:.2f} s")
    return 0


def write(tally: Tally, arguments: argparse.Namespace, seconds: float) -> None:
    """Write what came of it."""
    from record import write_result

    seed, workers = arguments.seed, arguments.workers
    rows: list[tuple[object, ...]] = [
        ("loader", "variants", "refused", "slowest, s", "most memory, of what is allowed")
    ]
    for name in sorted(tally.loads):
        slow, share = tally.slowest.get(name, 0.0), tally.memory.get(name, 0.0)
        refused = f"{100 * tally.refused[name] / tally.loads[name]:.0f} %"
        rows.append((name, f"{tally.loads[name]:,}", refused, f"{slow:.2f}", f"{share:.2f}"))
    notes = [
        f"{tally.done:,} variants of seed {seed} from number {arguments.first} on in "
        f"{seconds / 60:.0f} minutes, in {workers} process{'es' * (workers > 1)}; "
        "1,000,000 are wanted of a long run: "
        f"{'met' if tally.done >= 1_000_000 else 'not reached'}",
        "refused: the load ended in TraceFormatError; the others gave traces, if perhaps none",
        f"allowed: {SECONDS:g} s of processor time, and {FREE_MEMORY >> 20} MiB + "
        f"{MEMORY_PER_BYTE} x the file of resident memory",
        f"failures: {len(tally.failures)}",
        *(
            f"`--seed {seed} --only {f.number}`: {f.seedling} for {f.loader}: {f.what}"
            for f in tally.failures[:50]
        ),
    ]
    write_result("fuzz", title="Random damage over all loaders", rows=rows, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
