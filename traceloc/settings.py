"""Settings and where each came from: command line > environment > file > default.

The file is ``traceloc.toml``, or ``[tool.traceloc]`` of ``pyproject.toml``, in the working
directory or the nearest one above it that has either.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.errors import Location, UsageError

ENVIRONMENT_PREFIX = "TRACELOC_"
OTHER_VARIABLES = frozenset(
    {"TRACELOC_PLUGINS", "TRACELOC_STRICT_PLUGINS", "TRACELOC_HOME", "TRACELOC_JUDGE_KEY"}
)
"""Variables that are no settings of a scan."""
NO_MEMORY = "none"
"""Address of no memory at all."""
FAIL_ON = ("located", "abstained", "any", "never")
_SWITCHES = frozenset({"only-failed", "strict", "color", "labels", "offline", "judge-expected"})
_COUNTS = frozenset({"top-k", "jobs", "judge-budget", "judge-votes", "judge-concurrency"})
_SHARES = frozenset({"min-coverage", "coverage"})
_SECONDS = frozenset({"judge-timeout"})
_LISTS = frozenset({"judge-redact"})
_PATHS = ("model", "judge-prices", "judge-hints")
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})


class SystemRule(NamedTuple):
    """A glob of paths and the system whose runs they hold."""

    pattern: str
    """As written; relative to ``base``."""
    system: str
    base: str


@dataclass(frozen=True)
class SystemTable:
    """The ``[systems]`` table; the first rule that fits wins."""

    rules: tuple[SystemRule, ...] = ()

    def find(self, path: str) -> str | None:
        """Name of the system whose runs ``path`` holds, if a rule says so."""
        if not self.rules:
            return None
        full = str(Path(path).resolve())
        for rule in self.rules:
            anchored = rule.pattern.startswith("/")
            seen = full if anchored else os.path.relpath(full, rule.base)
            if _glob_regex(rule.pattern).fullmatch(seen.replace(os.sep, "/")):
                return rule.system
        return None


@dataclass(frozen=True)
class Settings:
    """Everything a scan can be told; names are those of the options."""

    format: str = "text"
    """How to print: the name of a reporter."""
    from_: str | None = None
    """Loader to read with; sniffed where it is left out."""
    system: str | None = None
    """Name of the agent system; found in the trace or by ``[systems]`` if left out."""
    top_k: int = 3
    """Candidates for each trace."""
    only_failed: bool = False
    """Leave out traces whose run is known to have passed."""
    fail_on: str = "never"
    """What makes the exit code 1."""
    min_coverage: float = 0.0
    """Share of traces that must have been measured."""
    coverage: float | None = None
    """Probability with which a window of steps shall hold the decisive error."""
    jobs: int | None = None
    """Processes; left out, traceloc decides by the size of the input."""
    model: str | None = None
    """Path of a ranking model; the shipped one if left out."""
    labels: bool = True
    """Learn from what was labelled, confirmed and rejected of each system."""
    memory: str | None = None
    """Failure memory: a path, ``postgresql://…``, or ``none``; the project's or user's if left
    out. It keeps masked text only."""
    memory_embedder: str = "hashed"
    """What makes its vectors: ``hashed``, or ``sentence-transformers:MODEL``."""
    color: bool | None = None
    """Colour; left out, only on a terminal and without ``NO_COLOR``."""
    strict: bool = False
    """Stop at the first thing that cannot be read, or plugin that is broken."""
    judge: str | None = None
    """Models that adjudicate, comma-separated; none if left out."""
    judge_strategy: str = "candidates"
    """How they come to a verdict."""
    judge_budget: int = 48_000
    """Tokens of one question, prompt and answer together, at most."""
    judge_url: str | None = None
    """Base URL of an OpenAI-compatible endpoint."""
    judge_votes: int | None = None
    """Samples of each model; left out, three for a jury of one model, else one."""
    judge_concurrency: int = 8
    """Questions under way at the same time."""
    judge_timeout: float = 120.0
    """Seconds for one answer."""
    judge_form: str = "auto"
    """How models are held to the form of an answer: ``auto``, ``text``, ``schema`` or ``tool``."""
    judge_expected: bool = True
    """Show judges the expected answer, where the trace gives one."""
    judge_redact: tuple[str, ...] = ()
    """Regular expressions of what must not leave the machine, beside the built-in ones."""
    judge_prices: str | None = None
    """Path of a table of prices."""
    judge_hints: str | None = None
    """Path of hints from past failures, a JSON object a line."""
    offline: bool = False
    """Let judges answer from the cache only."""
    systems: SystemTable = field(default_factory=SystemTable)
    """Names of systems by path."""


class Resolved(NamedTuple):
    """Settings in force, and where each came from."""

    settings: Settings
    origins: dict[str, str]
    """By name of the setting: ``command line``, a variable, a file, or ``default``."""
    file: str | None
    """The settings file that was read."""
    unknown_variables: tuple[str, ...]
    """``TRACELOC_…`` variables that mean nothing; another program may own them."""


def resolve_settings(
    command_line: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
) -> Resolved:
    """Join all sources of settings.

    Args:
        command_line: Values by setting; ``None`` means not given.
        environment: Variables; those of the process if left out.
        directory: Where the search for the file begins; the working directory if left out.

    Raises:
        UsageError: ``TL201`` for an unknown setting, ``TL202`` for a value that does not fit,
            ``TL203`` for a file that cannot be read.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    origins = dict.fromkeys((name_of(f.name) for f in fields(Settings)), "default")
    file = find_settings_file(directory or Path.cwd())
    if file is not None:
        for name, value in _read_file(file).items():
            values[name], origins[name] = value, str(file)
    unknown = []
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in OTHER_VARIABLES:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("_", "-")
        if name not in origins or name == "systems":
            unknown.append(variable)
        elif environment[variable] != "":
            values[name] = _from_text(name, environment[variable], variable)
            origins[name] = variable
    for key, value in (command_line or {}).items():
        if value is not None:
            name = name_of(key)
            values[name] = _checked(name, value, "command line", None)
            origins[name] = "command line"
    settings = Settings(**{_attribute(name): value for name, value in values.items()})
    return Resolved(settings, origins, str(file) if file else None, tuple(unknown))


def name_of(attribute: str) -> str:
    """Name of a setting as a user writes it: ``top-k``."""
    return attribute.rstrip("_").replace("_", "-")


def _attribute(name: str) -> str:
    return "from_" if name == "from" else name.replace("-", "_")


def find_settings_file(directory: Path) -> Path | None:
    """The nearest ``traceloc.toml`` or ``pyproject.toml`` with ``[tool.traceloc]``, upward."""
    for folder in (directory, *directory.resolve().parents):
        own = folder / "traceloc.toml"
        if own.is_file():
            return own
        project = folder / "pyproject.toml"
        # A stranger's broken pyproject is not ours to complain about unless it speaks of us.
        if project.is_file() and b"tool.traceloc" in _bytes(project):
            return project
    return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _read_file(path: Path) -> dict[str, Any]:
    where = Location(str(path))
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"settings cannot be read: {error}"
        raise UsageError(message, code="TL203", location=where) from error
    if path.name == "pyproject.toml":
        table = table.get("tool", {}).get("traceloc", {})
    known = [name_of(f.name) for f in fields(Settings)]
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = name_of(key)
        if name not in known:
            raise unknown_setting(key, known, where)
        if name == "systems":
            found[name] = _systems(value, path)
        else:
            found[name] = _checked(name, value, key, where)
    for name in _PATHS:
        if isinstance(found.get(name), str):
            found[name] = str(path.parent / found[name])
    memory = found.get("memory")
    if isinstance(memory, str) and memory != NO_MEMORY and "://" not in memory:
        found["memory"] = str(path.parent / memory)
    return found


def unknown_setting(key: str, known: list[str], where: Location | None) -> UsageError:
    """The error for a setting that does not exist."""
    close = difflib.get_close_matches(name_of(key), known, n=1)
    listed = f"settings are: {', '.join(sorted(known))}"
    return UsageError(
        f"there is no setting {key!r}",
        code="TL201",
        hint=f"did you mean {close[0]!r}?" if close else listed,
        location=where,
    )


def _systems(table: Any, path: Path) -> SystemTable:
    if not isinstance(table, dict) or not all(isinstance(v, str) for v in table.values()):
        raise UsageError(
            "[systems] must give a name for each glob of paths",
            code="TL202",
            hint='such as "runs/support/**" = "support-bot"',
            location=Location(str(path)),
        )
    base = str(path.parent.resolve())
    return SystemTable(tuple(SystemRule(glob, name, base) for glob, name in table.items()))


def _from_text(name: str, text: str, variable: str) -> Any:
    value: Any = text
    lowered = text.strip().lower()
    if name in _SWITCHES:
        value = True if lowered in _TRUE else False if lowered in _FALSE else text
    elif name in _LISTS:
        value = text.splitlines()
    elif name in _COUNTS | _SHARES | _SECONDS:
        try:
            value = int(text) if name in _COUNTS else float(text)
        except ValueError:
            value = text
    return _checked(name, value, variable, None)


def _checked(name: str, value: Any, called: str, where: Location | None) -> Any:
    """``value`` if it fits the setting."""
    expected = _expectation(name, value)
    if expected is not None:
        raise UsageError(
            f"{called}: {name} is {value!r}; expected {expected}", code="TL202", location=where
        )
    if name in _LISTS:
        return tuple(value)
    return float(value) if name in _SHARES | _SECONDS else value


def _expectation(name: str, value: Any) -> str | None:
    """What was expected, if ``value`` is not it."""
    if name in _SWITCHES:
        return None if isinstance(value, bool) else "true or false"
    if name in _COUNTS:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        return None if fits else "a whole number of at least 1"
    if name in _SECONDS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return None if fits and value > 0 else "a number of seconds above 0"
    if name in _LISTS:
        fits = isinstance(value, list | tuple) and all(isinstance(v, str) and v for v in value)
        return None if fits else "a list of texts"
    if name == "min-coverage":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return None if fits and 0 <= value <= 1 else "a number from 0 to 1"
    if name == "coverage":
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        return None if fits and 0 < value < 1 else "a number above 0 and below 1"
    if name == "fail-on":
        return None if value in FAIL_ON else f"one of {', '.join(FAIL_ON)}"
    return None if isinstance(value, str) and value else "a name"


@lru_cache(maxsize=256)
def _glob_regex(pattern: str) -> re.Pattern[str]:
    """A path glob as a regular expression; a folder stands for all that is below it."""
    pieces = []
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern.rstrip("/")):
        special = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece)
        if special is None:
            is_class = piece[0] == "[" and len(piece) > 1
            special = piece.replace("[!", "[^") if is_class else re.escape(piece)
        pieces.append(special)
    return re.compile("".join(pieces) + "(?:/.*)?", re.DOTALL)
