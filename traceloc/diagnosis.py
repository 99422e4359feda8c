"""What traceloc makes of a file, and why: which loader, how sure, what is missing in the traces."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from traceloc.contracts import Content
from traceloc.errors import TraceFormatError, TracelocError
from traceloc.loading.discovery import find_files
from traceloc.loading.reading import Ignored, Job, plan, run
from traceloc.loading.sniffing import MIN_SCORE, rank_loaders
from traceloc.loading.source import Source, read_stdin
from traceloc.registry import Registry
from traceloc.trace import Diagnostic, Trace

PACKAGES = ("pydantic", "numpy", "networkx", "typer", "rich", "faiss-cpu")


class Lack(NamedTuple):
    """Content that no trace of a file has."""

    content: Content
    cost: str
    """What it is, and what it would be good for."""
    capture: str | None
    """How the framework is made to record it; ``None`` where the loader does not say."""


class FileDiagnosis(NamedTuple):
    """What became of one file."""

    path: str
    loader: str | None
    """Who reads it, ``None`` where nobody does."""
    score: float
    """How sure that loader is, 0 to 1."""
    runner_up: str | None
    runner_up_score: float
    traces: int
    steps: int
    skipped: str | None
    """Why it is not read at all."""
    problems: tuple[str, ...]
    """Errors met while it was read."""
    notes: tuple[Diagnostic, ...]
    """What the loader skipped, inferred or missed, over all traces."""
    missing: tuple[Lack, ...]
    sniff_errors: tuple[str, ...]
    files: int = 1
    """How many files hold the run together; the path is that of the first."""
    page: str | None = None
    """Where the documentation says how to get more out of the framework."""


class Package(NamedTuple):
    """An installed package, or one that is not."""

    name: str
    version: str | None


class Extra(NamedTuple):
    """A set of optional packages, and what they are good for."""

    name: str
    """As in ``pip install 'traceloc[name]'``."""
    packages: tuple[str, ...]
    gives: str


class FoundExtra(NamedTuple):
    """An extra and which of its packages are installed."""

    extra: Extra
    packages: tuple[Package, ...]


EXTRAS = (
    Extra("zstd", ("zstandard",), "reads logs compressed with zstd"),
    Extra("parquet", ("pyarrow",), "reads spans in Parquet"),
    Extra("otlp", ("opentelemetry-proto",), "reads OTLP as protobuf"),
    Extra("msgpack", ("ormsgpack",), "reads checkpoints of LangGraph"),
    Extra("yaml", ("pyyaml",), "exchanges the failure memory as YAML"),
    Extra("embeddings", ("sentence-transformers",), "a model of yours embeds for the memory"),
    Extra("postgres", ("psycopg",), "keeps a failure memory for a team in PostgreSQL"),
    Extra("judge", ("pydantic-ai-slim", "openai"), "judges behind an API like OpenAI's"),
    Extra("judge-anthropic", ("pydantic-ai-slim", "anthropic"), "judges of Anthropic"),
    Extra("judge-google", ("pydantic-ai-slim", "google-genai"), "judges of Google"),
)
"""What can be installed beside traceloc; nothing else needs any of it."""


def diagnose_files(
    paths: Iterable[str], *, loader: str | None = None, registry: Registry
) -> Iterator[FileDiagnosis]:
    """Yield a diagnosis for each file below the paths, or for files that are one run, in order."""
    loaders = registry.all("loaders")
    if loader is not None:
        registry.get("loaders", loader)
    paths = list(paths)
    joined = _joined(paths, loader=loader, registry=registry)
    for found in _each_file(paths):
        if isinstance(found, TraceFormatError):
            place = found.location.path if found.location else "?"
            yield _blank(place, skipped=f"[{found.code}] {found.message}")
            continue
        source = found
        job = joined.get(source.path)
        if job is not None and source.path != job.paths[0]:
            continue  # told with the first of its files
        try:
            guesses = rank_loaders(source.head(), loaders)
        except TraceFormatError as error:
            yield _blank(source.path, skipped=f"[{error.code}] {error.message}")
            continue
        best = [(guess.loader.name, guess.score) for guess in guesses if guess.score > 0]
        failed = tuple(f"{g.loader.name}: {g.error}" for g in guesses if g.error)
        base = _blank(source.path)._replace(
            runner_up=best[1][0] if len(best) > 1 else None,
            runner_up_score=best[1][1] if len(best) > 1 else 0.0,
            sniff_errors=failed,
        )
        yield _read(base, best[:1], source, job, loader=loader, registry=registry)


def _joined(paths: list[str], *, loader: str | None, registry: Registry) -> dict[str, Job]:
    """Jobs that read several files, by each of these."""
    found: dict[str, Job] = {}
    for job in plan((p for p in paths if p != "-"), format=loader, registry=registry):
        if isinstance(job, Job) and len(job.paths) > 1:
            found |= dict.fromkeys(job.paths, job)
    return found


def _each_file(paths: Iterable[str]) -> Iterator[Source | TraceFormatError]:
    names = list(paths)
    if "-" in names:
        yield read_stdin()
    for found in find_files(name for name in names if name != "-"):
        yield found if isinstance(found, TraceFormatError) else Source(str(found.path))


def _read(
    base: FileDiagnosis,
    best: list[tuple[str, float]],
    source: Source,
    job: Job | None,
    *,
    loader: str | None,
    registry: Registry,
) -> FileDiagnosis:
    jobs: list[Job | TraceFormatError | Ignored]
    if job is not None:
        jobs = [job]
    elif source.content is not None:
        name = loader or (best[0][0] if best else "")
        jobs = [Job(name, (source.path,), ".", source.content)] if name else []
    else:
        jobs = list(plan([source.path], format=loader, registry=registry))
    entry = jobs[0] if jobs else Ignored(source.path)
    if not isinstance(entry, Job):
        sure = f"no loader is sure enough (the surest must reach {MIN_SCORE})"
        known = isinstance(entry, TraceFormatError) and entry.code != "TL110"
        why = f"[{entry.code}] {entry.message}" if isinstance(entry, TraceFormatError) else sure
        return base._replace(
            skipped=why if known else f"it is no trace: {sure}",
            runner_up=best[0][0] if best else None,
            runner_up_score=best[0][1] if best else 0.0,
        )
    traces = steps = 0
    problems: list[str] = []
    notes: dict[tuple[str, str], Diagnostic] = {}
    present: set[Content] = set()
    wanted: set[Content] = set()
    for item in run(entry, registry=registry):
        if isinstance(item, TracelocError):
            problems.append(f"[{item.code}] {item}")
            continue
        traces += 1
        steps += len(item.steps)
        present |= _content(item)
        wanted |= _wanted(item)
        for note in item.diagnostics:
            known_note = notes.get((note.kind, note.message))
            count = note.count + (known_note.count if known_note else 0)
            notes[note.kind, note.message] = note.model_copy(update={"count": count})
    score = dict(best).get(entry.loader, 0.0)
    return base._replace(
        loader=entry.loader,
        files=len(entry.paths),
        score=score,
        traces=traces,
        steps=steps,
        problems=tuple(problems),
        notes=tuple(notes.values()),
        missing=tuple(_tell_lacks(wanted - present, entry.loader, registry)),
        page=_page(entry.loader, registry),
    )


WORTH_HAVING: dict[Content, str] = {
    "task": "the task: answers cannot be held against what was asked",
    "agents": "names of agents: blame falls on a role",
    "instructions": "instructions: what agents were told to keep to cannot be checked",
    "schemas": "tool schemas: arguments cannot be held against them",
    "calls": "tool calls: arguments cannot be checked",
    "results": "tool results: claims cannot be held against what tools returned",
    "inputs": "what each step was given: every agent is taken to have read everything before",
    "outcome": "an outcome: --only-failed cannot tell failed from passed runs",
    "times": "timestamps: steps stand in file order",
    "usage": "tokens: what a step cost is not known",
}
"""Content that makes a trace more telling, and what its absence costs."""


def _content(trace: Trace) -> set[Content]:
    known = ("explicit", "ancestor", "namespace")
    steps = trace.steps
    found: dict[Content, bool] = {
        "task": bool(trace.task),
        "agents": any(a.attribution in known and a.kind != "tool" for a in trace.agents),
        "instructions": any(a.instructions for a in trace.agents)
        or any(step.role == "system" and step.kind == "message" for step in steps),
        "schemas": any(tool.parameters is not None for tool in trace.tools),
        "calls": any(step.tool_calls for step in steps),
        "results": any(step.is_environment for step in steps),
        "inputs": any(step.inputs is not None for step in steps),
        "outcome": trace.outcome.status != "unknown",
        "times": any(step.timestamp for step in steps),
        "usage": any(step.usage for step in steps),
    }
    return {content for content, is_there in found.items() if is_there}


def _wanted(trace: Trace) -> set[Content]:
    """What would say something about a trace: one agent alone has read everything before."""
    wanted = set(WORTH_HAVING)
    if not any(step.tool_calls for step in trace.steps):
        wanted.discard("schemas")
    if len({step.agent for step in trace.steps if step.role == "assistant"}) < 2:
        wanted.discard("inputs")
    return wanted


def _tell_lacks(lacking: set[Content], loader: str, registry: Registry) -> Iterator[Lack]:
    said = getattr(registry.get("loaders", loader), "capture", None)
    ways: Mapping[Content, str] = said if isinstance(said, Mapping) else {}
    for content, cost in WORTH_HAVING.items():
        if content in lacking:
            yield Lack(content, cost, ways.get(content, _EVERYWHERE.get(content)))


_EVERYWHERE: dict[Content, str] = {
    "outcome": "traceloc repeats takes it from folders called 'passed' and 'failed'",
}
"""What helps with any format."""


def _page(loader: str, registry: Registry) -> str | None:
    """The page of a loader that is shipped; others are documented elsewhere."""
    infos = (
        info for info in registry.list("loaders") if loader in (info.name, info.qualified_name)
    )
    shipped = any(info.distribution == "traceloc" for info in infos)
    return f"docs/frameworks/{loader.rpartition(':')[2]}.md" if shipped else None


def _blank(path: str, *, skipped: str | None = None) -> FileDiagnosis:
    return FileDiagnosis(path, None, 0.0, None, 0.0, 0, 0, skipped, (), (), (), ())


def list_packages() -> list[Package]:
    """Python and the packages that matter, with their versions."""
    found = [Package("python", f"{platform.python_version()} ({sys.platform})")]
    return found + [_look_up(name) for name in ("traceloc", *PACKAGES)]


def list_extras() -> list[FoundExtra]:
    """What can be installed beside traceloc, and what of it is."""
    return [FoundExtra(each, tuple(map(_look_up, each.packages))) for each in EXTRAS]


def _look_up(name: str) -> Package:
    try:
        return Package(name, version(name))
    except PackageNotFoundError:
        return Package(name, None)
