"""Valid files of every format, to be damaged or repeated: the tests' own, and the samples."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

from traceloc.registry import Registry
from traceloc.testing import Files

ROOT = Path(__file__).parents[1]


class Seedling(NamedTuple):
    """A file, or files that belong together, that variants are made of."""

    label: str
    loader: str
    files: Files


def gather(registry: Registry, *, samples: Path | None, largest: int = 1 << 30) -> list[Seedling]:
    """The tests' own documents, and the samples below a folder by the loader that claims them."""
    from traceloc.loading.reading import Job, plan

    path = ROOT / "tests/contract/built_in_samples.py"
    spec = importlib.util.spec_from_file_location("built_in_samples", path)
    assert spec is not None and spec.loader is not None
    own = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(own)
    seedlings = [
        Seedling(f"{name} {number}", name, Files.of(sample))
        for name in registry.names("loaders")
        for number, sample in enumerate(own.samples_of("loaders", name))
    ]
    if samples is not None and samples.is_dir():
        for job in plan([samples], registry=registry):
            if not isinstance(job, Job):
                continue
            paths = [Path(path) for path in job.paths]
            if sum(path.stat().st_size for path in paths) <= largest:
                content = tuple((str(p.relative_to(samples)), p.read_bytes()) for p in paths)
                seedlings.append(Seedling(content[0][0], job.loader, Files(content)))
    return seedlings
