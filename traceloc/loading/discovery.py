"""Finds the files that may hold traces."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from traceloc.errors import Location, TraceFormatError

SKIPPED_DIRECTORIES = frozenset({"__pycache__", "node_modules"})


class Found(NamedTuple):
    """A file to look at."""

    path: Path
    root: Path
    """What the user named to get here."""
    named: bool
    """Whether the user named the file itself, so that it must be readable."""


def find_files(paths: Iterable[str | Path]) -> Iterator[Found | TraceFormatError]:
    """Files below the named paths, each once, in a fixed order; what does not exist is an error.

    Hidden files and folders are passed over unless named. A symlink is followed, a loop only once.
    """
    seen: set[Path] = set()
    for name in paths:
        path = Path(name)
        if path.exists():
            yield from _below(path, path, seen)
            continue
        # Path.glob refuses absolute patterns, which is what a shell user types.
        matches = sorted(glob.glob(str(name), recursive=True))  # noqa: PTH207
        if not matches:
            yield TraceFormatError(
                "no such file or directory", code="TL101", location=Location(str(name))
            )
        for match in matches:
            yield from _below(Path(match), Path(match), seen)


def _below(path: Path, root: Path, seen: set[Path]) -> Iterator[Found | TraceFormatError]:
    if not path.is_dir():
        if _once(path, seen):
            yield Found(path, root, named=True)
        return
    for directory, folders, files in os.walk(path, followlinks=True):
        here = Path(directory)
        if not _once(here, seen):
            folders.clear()
            if here.is_symlink() and here.resolve() in here.absolute().parents:
                yield TraceFormatError(
                    "is a symlink to a folder above it; not followed",
                    code="TL109",
                    location=Location(directory),
                )
            continue
        folders[:] = sorted(f for f in folders if f[0] != "." and f not in SKIPPED_DIRECTORIES)
        for file in sorted(files):
            candidate = Path(directory, file)
            # Pipes, sockets and devices would block; a dangling link is nothing to read.
            if file[0] != "." and candidate.is_file() and _once(candidate, seen):
                yield Found(candidate, root, named=False)


def _once(path: Path, seen: set[Path]) -> bool:
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        return False
    if real in seen:
        return False
    seen.add(real)
    return True
