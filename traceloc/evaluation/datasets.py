"""Labelled traces: logs with a ``labels.jsonl`` beside them, or with labels inside the files.

A row of labels is ``{"file", "trace", "group", "agent", "step", "category", "source", …}``;
``step`` is a native index, or ``null`` where nothing is wrong or no single step is blamed. Rows and
fields in the words of Who&When, AgentRx and tau2 are read too; see
:mod:`traceloc.evaluation.native_labels`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from traceloc.errors import Location, TraceFormatError, UsageError
from traceloc.evaluation.native_labels import find_native_labels, normalise_row
from traceloc.loading import read
from traceloc.registry import Registry
from traceloc.trace import Label, Trace

LABELS_FILE = "labels.jsonl"

_TASK_KEYS = ("task_id", "question_id", "instance_id")
_LONG_TEXT = 80
"""Characters from which a step's text identifies a run; shorter ones are said everywhere."""


@dataclass(frozen=True)
class LabelledTrace:
    """One trace and what is known about it."""

    trace: Trace
    dataset: str
    """Name of the folder."""
    system: str
    """Traces of one system share habits; sets that hold the same traces are one system."""
    group: str
    """The question. Traces of one group never stand on two sides of a split."""
    labels: tuple[Label, ...]
    """Only those that blame a step."""
    passed: bool | None
    """Whether the run is known to have passed, or failed."""

    @property
    def key(self) -> str:
        """A name that is unique within an evaluation."""
        return f"{self.dataset}/{self.trace.source or self.trace.id}:{self.trace.id}"


class Reading(NamedTuple):
    """What was read."""

    items: tuple[LabelledTrace, ...]
    unmatched: tuple[str, ...]
    """Label rows that belong to no trace, as ``folder/labels.jsonl:line``."""
    errors: tuple[TraceFormatError, ...]
    """What could not be read."""


def read_datasets(
    paths: Iterable[str | Path],
    *,
    systems: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Reading:
    """Read labelled traces.

    Args:
        paths: Folders with ``labels.jsonl``, folders of such folders, or anything that can be
            scanned and holds its labels inside.
        systems: System of each set, by folder name. Without it a row's ``system`` counts, else the
            folder's name; sets that share the content of most of their traces become one system.
        registry: Plugins to read with.

    Raises:
        UsageError: If a path does not exist, or a row of labels is no JSON object.
    """
    registry = registry or Registry()
    items: list[LabelledTrace] = []
    unmatched: list[str] = []
    errors: list[TraceFormatError] = []
    for folder in _folders(paths):
        found = _read_folder(folder, systems or {}, registry)
        items.extend(found.items)
        unmatched.extend(found.unmatched)
        errors.extend(found.errors)
    fixed = frozenset(systems or {})
    return Reading(join_twins(items, fixed=fixed), tuple(unmatched), tuple(errors))


def _folders(paths: Iterable[str | Path]) -> list[Path]:
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise UsageError(f"no such file or directory: {str(name)!r}", code="TL101")
        below = [] if (path / LABELS_FILE).exists() else sorted(path.glob(f"*/{LABELS_FILE}"))
        found.extend([each.parent for each in below] or [path])
    return list(dict.fromkeys(found))


def _read_folder(folder: Path, systems: Mapping[str, str], registry: Registry) -> Reading:
    name = folder.resolve().name
    rows = _rows(folder / LABELS_FILE) if (folder / LABELS_FILE).exists() else None
    items: list[LabelledTrace] = []
    errors: list[TraceFormatError] = []
    used: set[int] = set()
    for trace in read([folder], registry=registry):
        if isinstance(trace, TraceFormatError):
            errors.append(trace)
        elif isinstance(trace, Trace):
            matches = _rows_of(trace, folder, rows) if rows is not None else []
            used.update(number for number, _ in matches)
            items.append(_label(trace, [row for _, row in matches], name, systems))
    unmatched = [f"{folder / LABELS_FILE}:{n}" for n, _ in rows or [] if n not in used]
    return Reading(tuple(items), tuple(unmatched), tuple(errors))


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        row = normalise_row(row) if isinstance(row, dict) else {}
        if not isinstance(row.get("file"), str):
            raise UsageError(
                "is no label; expected a JSON object with 'file' and 'step'",
                code="TL205",
                hint=f"at {Location(str(path), line=number)}",
            )
        rows.append((number, row))
    return rows


def _rows_of(
    trace: Trace, folder: Path, rows: Sequence[tuple[int, dict[str, Any]]]
) -> list[tuple[int, dict[str, Any]]]:
    """Rows of the trace's file; of a file with several traces those that name this one.

    A converted trace still names the file it was converted from; it is found by its id.
    """
    names = (trace.id, Path(trace.source).stem if trace.alone else trace.id)
    named = [
        (number, row)
        for number, row in rows
        if row.get("trace") == trace.id or (not row["file"] and row.get("trace") in names)
    ]
    try:
        file = Path(trace.source).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return named
    here = [(number, row) for number, row in rows if row["file"] == file]
    here += [each for each in named if not each[1]["file"]]
    return here if trace.alone else [each for each in here if each in named]


def _label(
    trace: Trace, rows: Sequence[dict[str, Any]], name: str, systems: Mapping[str, str]
) -> LabelledTrace:
    row = rows[0] if rows else {}
    if rows:
        labels = tuple(
            Label(
                native_index=each.get("step"),
                agent=each.get("agent"),
                category=each.get("category"),
                source=each.get("source"),
            )
            for each in rows
        )
        outcome = row.get("outcome")
    else:
        labels = find_native_labels(trace)
        outcome = trace.outcome.status if trace.outcome.source != "guess" else None
    blamed = tuple(label for label in labels if label.native_index is not None)
    passed = {"passed": True, "failed": False}.get(str(outcome), False if blamed else None)
    return LabelledTrace(
        trace=trace,
        dataset=name,
        system=systems.get(name) or row.get("system") or name,
        group=str(row.get("group") or _question(trace, name)),
        # A run that passed has no decisive error, whatever slips were marked on its way.
        labels=() if passed else blamed,
        passed=passed,
    )


def _question(trace: Trace, name: str) -> str:
    """A group for traces whose labels name none: the same task is the same question.

    Where the customer is simulated each trial of a task opens in other words; its number tells.
    """
    for key in _TASK_KEYS:
        if isinstance(number := trace.attributes.get(key), str | int):
            return f"task:{name}:{number}"
    if not trace.task:
        return f"trace:{trace.id}"
    text = " ".join(trace.task.split()).casefold()
    return f"task:{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def join_twins(
    items: Sequence[LabelledTrace], *, fixed: frozenset[str] = frozenset()
) -> tuple[LabelledTrace, ...]:
    """Put traces with the same content into one group, and sets that share traces into one system.

    Two traces are the same where most of the long texts of the shorter one occur in the other. Two
    sets are one system where at least half of the smaller set's traces have such a twin.

    Args:
        items: Traces of all sets.
        fixed: Sets whose system was stated and is not to be changed.
    """
    texts = [_fingerprint(item.trace) for item in items]
    owners: dict[int, list[int]] = {}
    for i, prints in enumerate(texts):
        for each in prints:
            owners.setdefault(each, []).append(i)
    groups = _Union(item.group for item in items)
    twins: dict[tuple[str, str], set[int]] = {}
    for i, prints in enumerate(texts):
        shared: dict[int, int] = {}
        for each in prints:
            for other in owners[each]:
                if items[other].dataset != items[i].dataset:
                    shared[other] = shared.get(other, 0) + 1
        for other, count in shared.items():
            if 2 * count > min(len(prints), len(texts[other])):
                groups.join(items[i].group, items[other].group)
                twins.setdefault((items[i].dataset, items[other].dataset), set()).add(i)
    size: dict[str, int] = {}
    for item in items:
        size[item.dataset] = size.get(item.dataset, 0) + 1
    systems = _Union(item.system for item in items)
    system_of = {item.dataset: item.system for item in items}
    for (left, right), members in twins.items():
        if 2 * len(members) >= size[left] and not {left, right} & fixed:
            systems.join(system_of[left], system_of[right])
    return tuple(
        replace(item, group=groups.find(item.group), system=systems.find(item.system))
        for item in items
    )


def _fingerprint(trace: Trace) -> frozenset[int]:
    texts = (" ".join(step.text.split()) for step in trace.steps if len(step.text) >= _LONG_TEXT)
    return frozenset(
        int.from_bytes(hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=8).digest(), "big")
        for t in texts
    )


class _Union:
    """Sets of names that belong together, each called by its first name in the alphabet."""

    def __init__(self, names: Iterable[str]) -> None:
        self._parent = {name: name for name in names}

    def find(self, name: str) -> str:
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def join(self, left: str, right: str) -> None:
        first, second = sorted((self.find(left), self.find(right)))
        self._parent[second] = first
