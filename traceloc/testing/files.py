"""Samples of a loader: files that belong together, put down for it and read."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.errors import TraceFormatError
from traceloc.loading.source import Source
from traceloc.testing.violation import CheckSkipped
from traceloc.trace import Trace


class Files(NamedTuple):
    """One sample: files that belong together, usually one."""

    content: tuple[tuple[str, bytes], ...]
    """Name and bytes."""

    @classmethod
    def of(cls, sample: Any) -> Files:
        """A sample from what an author gives.

        Args:
            sample: Path of a file or of a directory of files that belong together; bytes or text
                of a file; a mapping of ``{name: bytes}`` as ``Files``; any other JSON document.
        """
        if isinstance(sample, Files):
            return sample
        if isinstance(sample, Path):
            paths = sorted(p for p in sample.rglob("*") if p.is_file()) if sample.is_dir() else []
            named = [(str(p.relative_to(sample)), p.read_bytes()) for p in paths]
            return cls(tuple(named) or ((sample.name, sample.read_bytes()),))
        if isinstance(sample, str):
            sample = sample.encode()
        if not isinstance(sample, bytes):
            sample = json.dumps(sample).encode()
        return cls((("sample.json", sample),))

    @classmethod
    def together(cls, files: Mapping[str, bytes]) -> Files:
        """A sample of several files, by name."""
        return cls(tuple(files.items()))

    @property
    def first(self) -> bytes:
        """Content of the first file."""
        return self.content[0][1]

    def with_first(self, data: bytes) -> Files:
        """The same files with another content of the first one."""
        return Files(((self.content[0][0], data), *self.content[1:]))

    def pack(self) -> list[tuple[str, str]]:
        """As JSON."""
        return [(name, base64.b64encode(data).decode()) for name, data in self.content]

    @classmethod
    def unpack(cls, packed: Any) -> Files:
        """What :meth:`pack` packed."""
        return cls(tuple((name, base64.b64decode(data)) for name, data in packed))


class Loaded(NamedTuple):
    """What a loader made of a sample."""

    traces: list[Trace]
    problems: list[TraceFormatError]
    """What it reported while it read on."""


def prepare(samples: Sequence[Any]) -> tuple[Files, ...]:
    """Samples as files.

    Raises:
        CheckSkipped: If there is none.
    """
    if not samples:
        raise CheckSkipped("there is no sample: a valid file of the format")
    return tuple(Files.of(sample) for sample in samples)


@contextmanager
def placed(files: Files) -> Iterator[list[Source]]:
    """The files on disk, as sources."""
    with tempfile.TemporaryDirectory(prefix="traceloc-kit-") as folder:
        sources = []
        for name, data in files.content:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            sources.append(Source(str(path)))
        yield sources


def read(plugin: Any, files: Files) -> Loaded:
    """Load a sample."""
    with placed(files) as sources:
        traces = list(plugin.load(sources))
        return Loaded(traces, [problem for source in sources for problem in source.problems])


def describe(plugin: Any, files: Files) -> str:
    """Everything a loader says of a sample, without the folder it happened to lie in."""
    with placed(files) as sources:
        folder = str(Path(sources[0].path).parents[files.content[0][0].count("/")])
        pieces = [f"{plugin.sniff(source.head())!r}" for source in sources]
        keys = getattr(plugin, "group_keys", None)
        if keys is not None:
            pieces += [repr(sorted(keys(source))) for source in sources]
        try:
            pieces += [trace.model_dump_json() for trace in plugin.load(sources)]
        except TraceFormatError as error:
            pieces.append(f"{error.code}: {error}")
        pieces += [str(problem) for source in sources for problem in source.problems]
        return "\n".join(pieces).replace(folder, "")
