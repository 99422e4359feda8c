"""A new distribution from templates."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from string import Template
from typing import NamedTuple

from traceloc.errors import Location, UsageError

LONGEST_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


class Kind(NamedTuple):
    """What differs between the distributions of two kinds."""

    group: str
    """Last part of the entry-point group."""
    use: str
    """How the plugin is used, for the README."""
    check_options: str = ""
    """What the README's ``plugins check`` needs besides the name."""
    test_imports: str = ""
    test_samples: str = ""
    """Statements that make the samples of the contract test."""
    test_arguments: str = ""
    """How the contract test passes them on."""


_LOUD_TRACE = """
# Best with traces in which the signal fires, whole runs of your own among them.
builder = TraceBuilder(format="test")
for position, text in enumerate(("Please count the lamps.", "THERE ARE TWELVE!")):
    builder.step(kind="message", role="assistant", agent="clerk", native_index=position, text=text)
TRACE = builder.build()
"""
_ADDRESS = '''

def new_address() -> str:
    """A new, empty memory."""
    return f"$name:{tempfile.mkdtemp()}/memory.db"
'''
_PROMPTS = """
# What is asked here is answered on this machine, and costs nothing.
PROMPT = JudgePrompt(model="any", system="You judge.", user="Which step is wrong?")
"""
KINDS: dict[str, Kind] = {
    "loader": Kind(
        "loaders",
        "`traceloc scan tests/samples` reads with it, and `traceloc doctor FILE` says how sure it "
        "is.\nPut real files of the format into `tests/samples`: each is one sample.",
        check_options=" --sample tests/samples/run.json",
        test_imports="from pathlib import Path\n\n",
        test_samples='\nSAMPLES = sorted(Path(__file__).parent.glob("samples/*"))\n',
        test_arguments=", samples=SAMPLES",
    ),
    "signal": Kind(
        "signals",
        "It is measured wherever traces are; `traceloc fit` learns what it is worth, and\n"
        "`traceloc eval DATA --ablate` says so.",
        test_imports="from traceloc.loading import TraceBuilder\n",
        test_samples=_LOUD_TRACE,
        test_arguments=", samples=[TRACE]",
    ),
    "reporter": Kind(
        "reporters",
        "`traceloc scan RUNS --format $name` prints with it.",
    ),
    "embedder": Kind(
        "embedders",
        "The failure memory embeds with it where `$name` is chosen as its embedder.",
    ),
    "memory": Kind(
        "memories",
        "A failure memory at an address such as `$name:failures.db` is kept by it.",
        test_imports="import tempfile\n\n",
        test_samples=_ADDRESS,
        test_arguments=", samples=[new_address]",
    ),
    "judge": Kind(
        "judges",
        "It adjudicates where a judge called `$name` or `$name:MODEL` is asked for.",
        test_imports="from traceloc.judgement import JudgePrompt\n",
        test_samples=_PROMPTS,
        test_arguments=", samples=[PROMPT]",
    ),
}
"""By the word that ``--kind`` takes."""


def scaffold(name: str, *, kind: str, into: Path, taken: Collection[str] = ()) -> list[Path]:
    """Write the distribution of a new plugin into ``into/traceloc-NAME``, and give its files.

    Args:
        name: Name of the plugin.
        kind: A key of ``KINDS``.
        into: Folder for the new folder.
        taken: Names of the kind that are installed already.

    Raises:
        UsageError: ``TL200`` if kind or name will not do, ``TL220`` if something is in the way;
            nothing is written then.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no plugin kind {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    _require_name(name, kind=kind, taken=taken)
    words = _words(name, kind)
    files = _files(words, kind)
    root = into / words["distribution"]
    if root.exists() or root.is_symlink():
        raise UsageError(
            "is there already; nothing was written", code="TL220", location=Location(str(root))
        )
    try:
        root.mkdir(parents=True)
        for place, text in files.items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            code="TL220",
            location=Location(str(root)),
        ) from error
    return [root / place for place in files]


def _require_name(name: str, *, kind: str, taken: Collection[str]) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > LONGEST_NAME:
        plain = "_".join(re.findall(r"[a-z0-9]+", name.lower()))[:LONGEST_NAME].strip("_")
        fitting = bool(_NAME.fullmatch(plain)) and not keyword.iskeyword(plain)
        raise UsageError(
            f"{name!r} cannot be the name of a plugin: expected lower-case letters, digits and "
            f"single underscores, a letter first, at most {LONGEST_NAME} characters",
            hint=f"such as {plain!r}" if fitting else "such as 'my_format'",
        )
    if name in taken:
        raise UsageError(
            f"there is a {kind} called {name!r} already", hint="'traceloc plugins list' shows all"
        )


def _words(name: str, kind: str) -> dict[str, str]:
    about = KINDS[kind]
    words = {
        "name": name,
        "kind": kind,
        "group": about.group,
        "distribution": f"traceloc-{name.replace('_', '-')}",
        "package": f"traceloc_{name}",
        "class_name": "".join(part.capitalize() for part in name.split("_")) + kind.capitalize(),
    }
    parts = about._asdict()
    return words | {key: Template(text).substitute(words) for key, text in parts.items()}


def _files(words: dict[str, str], kind: str) -> dict[str, str]:
    package, tests = f"src/{words['package']}", "tests"
    files = {
        "pyproject.toml": _fill("pyproject.toml", words),
        "README.md": _fill("README.md", words),
        f"{package}/__init__.py": _fill(f"{kind}.py", words),
        f"{package}/py.typed": "",
        f"{tests}/test_contract.py": _fill("test_contract.py", words),
    }
    if kind == "loader":
        files[f"{tests}/samples/run.json"] = _fill("loader.sample.json", words)
    return files


def _fill(template: str, words: dict[str, str]) -> str:
    place = resources.files("traceloc.scaffolding").joinpath("templates", f"{template}.tmpl")
    return Template(place.read_text(encoding="utf-8")).substitute(words)
