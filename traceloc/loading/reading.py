"""From paths to traces, in a stream: what cannot be read is an item of the stream, not an end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.contracts import Loader
from traceloc.errors import TraceFormatError, UnknownFormatError
from traceloc.loading.discovery import Found, find_files
from traceloc.loading.sniffing import pick_loader
from traceloc.loading.source import Source, read_once, read_stdin
from traceloc.registry import Registry
from traceloc.trace import Trace

JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
"""A file called so that holds no JSON is damaged; any other unknown file is just no trace."""


class Ignored(NamedTuple):
    """A file that is no trace: a note, a licence, labels, code."""

    path: str


@dataclass(frozen=True)
class Job:
    """Files that are loaded together by one loader."""

    loader: str
    paths: tuple[str, ...]
    root: str
    content: bytes | None = None
    """The bytes of standard input, which cannot be opened again."""


def load(
    *paths: str | Path,
    format: str | None = None,
    system: str | None = None,
    strict: bool = False,
    registry: Registry | None = None,
) -> Iterator[Trace]:
    """Yield the traces found in files, directories and globs (``-`` for standard input).

    Args:
        *paths: What to read.
        format: Loader to use; sniffed where it is left out.
        system: Name of the agent system; found in the trace, or made of format and folder, if left
            out.
        strict: Raise on the first thing that cannot be read, where it is otherwise passed over.
        registry: Plugins to use; the installed ones if left out.

    Raises:
        TraceFormatError: Under ``strict`` only.
        PluginError: If ``format`` names no loader.
    """
    for item in read(paths, format=format, system=system, registry=registry):
        if isinstance(item, Trace):
            yield item
        elif strict and isinstance(item, TraceFormatError):
            raise item


def read(
    paths: Iterable[str | Path],
    *,
    format: str | None = None,
    system: str | None = None,
    registry: Registry | None = None,
) -> Iterator[Trace | TraceFormatError | Ignored]:
    """Like :func:`load`, with what could not be read, and what is no trace, in the stream."""
    registry = registry or Registry()
    for job in plan(paths, format=format, registry=registry):
        if isinstance(job, Job):
            yield from run(job, system=system, registry=registry)
        else:
            yield job


def plan(
    paths: Iterable[str | Path], *, format: str | None = None, registry: Registry
) -> Iterator[Job | TraceFormatError | Ignored]:
    """Decide which loader reads which files, without reading more than their first 64 KiB.

    Files whose traces may spread over several files come last, joined by the runs they share.
    """
    loaders = (registry.get("loaders", format),) if format else registry.all("loaders")
    blame = partial(registry.note_failure, "loaders")
    waiting: dict[str, list[tuple[Found, Source]]] = {}
    for found in _sources(paths):
        if isinstance(found, TraceFormatError):
            yield found
            continue
        place, source = found
        try:
            loader = loaders[0] if format else pick_loader(source, loaders, on_failure=blame)
        except UnknownFormatError as error:
            unknown = error.code == "TL110"
            # What is wrong with the bytes says more than that nobody knows them.
            damage = _damaged(source, place) if unknown else None
            yield damage or (error if place.named or not unknown else Ignored(source.path))
            continue
        except TraceFormatError as error:
            yield error
            continue
        if hasattr(loader, "group_keys") and source.content is None:
            waiting.setdefault(loader.name, []).append((place, source))
        else:
            yield Job(loader.name, (source.path,), str(place.root), source.content)
    for name, members in waiting.items():
        yield from _join(registry.get("loaders", name), members)


def run(
    job: Job, *, system: str | None = None, registry: Registry
) -> Iterator[Trace | TraceFormatError]:
    """Load the files of one job: its traces, then what went wrong in them."""
    loader: Loader = registry.get("loaders", job.loader)
    sources = [Source(path, content=job.content) for path in job.paths]
    count: dict[str, int] = {}
    # One trace is held back, because only a second one tells that the first is not alone.
    held: Trace | None = None
    failure: TraceFormatError | None = None
    try:
        for trace in loader.load(sources):
            name = _unused(trace.id, count)
            if held is not None:
                yield held.model_copy(update={"alone": False})
            held = trace.model_copy(
                update={
                    "id": name,
                    # A native file carries the path it was made from; locators need this one.
                    "source": _writable(_place(trace, job)),
                    "system": system or trace.system or default_system(job),
                    "alone": held is None,
                }
            )
    except TraceFormatError as error:
        failure = error
    except Exception as error:  # the plugin boundary: one bad file never stops the rest
        failure = sources[0].error(
            f"loader {loader.name!r} failed: {type(error).__name__}: {error}", code="TL199"
        )
        failure.__cause__ = error
    if held is not None:
        yield held
    elif failure is None and not any(source.problems for source in sources):
        failure = sources[0].error(f"holds no trace in format {loader.name!r}", code="TL106")
    for source in sources:
        yield from source.problems
    if failure is not None:
        yield failure


def _place(trace: Trace, job: Job) -> str:
    """The path that leads back to a trace: one of the files, or a folder that holds them all."""
    if trace.source in job.paths:
        return trace.source
    folder = Path(trace.source)
    if len(job.paths) > 1 and all(folder in Path(path).parents for path in job.paths):
        return trace.source
    return job.paths[0]


def _unused(name: str, count: dict[str, int]) -> str:
    """An id that no trace of the file has yet: the name itself, else with ``~`` and a number."""
    unused = name
    while unused in count:
        count[name] += 1
        unused = f"{name}~{count[name]}"
    count[unused] = 1
    return unused


def default_system(job: Job) -> str:
    """``format:folder`` for traces that do not say which system they came from."""
    root = Path(job.root)
    folder = root if root.is_dir() else root.parent
    return _writable(f"{job.loader}:{folder.resolve().name}")


def _writable(name: str) -> str:
    """A file name as text: bytes of it that are not UTF-8 could not be written to any report."""
    return name.encode("utf-8", "backslashreplace").decode()


def _sources(paths: Iterable[str | Path]) -> Iterator[tuple[Found, Source] | TraceFormatError]:
    names = [str(path) for path in paths]
    if "-" in names:
        yield Found(Path("-"), Path.cwd(), named=True), read_stdin()
    for found in find_files(name for name in names if name != "-"):
        if isinstance(found, TraceFormatError):
            yield found
        else:
            try:
                yield found, _open(found)
            except TraceFormatError as error:
                yield error


def _open(found: Found) -> Source:
    """A file as it is; a pipe that was named, such as ``<(zcat log)``, is read at once."""
    path = str(found.path)
    return Source(path) if found.path.is_file() else read_once(path)


def _damaged(source: Source, place: Found) -> TraceFormatError | None:
    """The error for a file that holds nothing, or by its name should hold JSON and does not."""
    suffixes = set(place.path.suffixes) - {".gz", ".zst"}
    head = source.head()
    if place.named and head.complete and not head.is_binary and not head.text.strip():
        return source.error("is empty", code="TL106", byte=0)
    if not suffixes & JSON_SUFFIXES or (
        head.documents and (head.is_json_lines or not head.complete)
    ):
        return None
    if source.problems:
        return source.problems[0]
    start = Source(source.path, content=head.data)
    try:
        for _ in start.documents():
            pass
    except TraceFormatError as error:
        return error
    return next(iter(start.problems), None)


def _join(loader: Any, members: list[tuple[Found, Source]]) -> Iterator[Job | TraceFormatError]:
    """Group files of one loader that share a run, in the order of their first file."""
    parent = list(range(len(members)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    owner: dict[str, int] = {}
    if len(members) > 1:
        for i, (_, source) in enumerate(members):
            try:
                for key in loader.group_keys(source):
                    parent[find(i)] = find(owner.setdefault(key, i))
            except Exception:  # noqa: S112 - load() meets the same damage and reports it
                continue
    groups: dict[int, list[int]] = {}
    for i in range(len(members)):
        groups.setdefault(find(i), []).append(i)
    for group in groups.values():
        first = members[group[0]][0]
        yield Job(loader.name, tuple(members[i][1].path for i in group), str(first.root))
