"""Checks of loaders: right, whole, and in order.

Samples are valid files of the format: paths, bytes, text, JSON documents, or
:class:`~traceloc.testing.Files` that belong together.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from traceloc.errors import TraceFormatError
from traceloc.loading.source import Source
from traceloc.testing import damage, hostile_files
from traceloc.testing.files import Files, describe, placed, prepare, read
from traceloc.testing.sniffing import (
    check_sniff_changes_nothing,
    check_sniff_knows_its_own,
    check_sniff_leaves_others_alone,
)
from traceloc.testing.soundness import require_sound, words_of
from traceloc.testing.violation import CheckSkipped, ContractViolation
from traceloc.trace import Trace

NEEDS_SAMPLES = True
_UNKNOWN = {"kit_unknown_field": "heron lantern quarry"}
_TRUTH: dict[str, Any] = {
    "ground_truth": "vermilion",
    "is_correct": False,
    "mistake_step": "1",
    "mistake_agent": "vermilion",
    "reward": 0.0,
    "expected_answer": "vermilion",
}


def exercise(plugin: Any, samples: Sequence[Files]) -> list[str]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return [describe(plugin, files) for files in samples]


def pack(samples: Sequence[Files]) -> Any:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return [files.pack() for files in samples]


def unpack(packed: Any) -> tuple[Files, ...]:
    """See :class:`~traceloc.testing.kinds.KindModule`."""
    return tuple(Files.unpack(each) for each in packed)


def check_every_sample_gives_steps(plugin: Any, samples: Sequence[Any]) -> None:
    """A valid file gives at least one trace with steps, and no complaint."""
    for number, files in enumerate(prepare(samples)):
        loaded = read(plugin, files)
        for problem in loaded.problems:
            raise ContractViolation(
                f"sample {number} is valid, and loading reports {problem}",
                mend="read what the format allows, or take the damage out of the sample",
            )
        if not any(trace.steps for trace in loaded.traces):
            raise ContractViolation(
                f"sample {number} gives {len(loaded.traces)} traces and no step",
                mend="yield a trace with a step for each message, call and result",
            )


def check_traces_are_sound(plugin: Any, samples: Sequence[Any]) -> None:
    """Steps are numbered, calls and results point at each other, and it survives being written."""
    for number, trace in _traces(plugin, samples):
        require_sound(trace, what=f"sample {number}")


def check_results_are_joined(plugin: Any, samples: Sequence[Any]) -> None:
    """A result that carries the id of an earlier call is joined to it."""
    for number, trace in _traces(plugin, samples):
        made = {c.id: s.index for s in trace.steps for c in s.tool_calls if c.id is not None}
        for step in trace.steps:
            result = step.tool_result
            if result is None or result.call_step is not None or result.call_id is None:
                continue
            if made.get(result.call_id, step.index) < step.index:
                raise ContractViolation(
                    f"sample {number}: step {step.index} answers call {result.call_id!r} of step "
                    f"{made[result.call_id]} and is not joined to it",
                    mend="pass call_id= to TraceBuilder.step(), as text, the same on both sides",
                )


def check_traces_say_where_they_are_from(plugin: Any, samples: Sequence[Any]) -> None:
    """A trace names this loader, and a file that it was given."""
    for number, files in enumerate(prepare(samples)):
        with placed(files) as sources:
            for trace in plugin.load(sources):
                if trace.format != plugin.name and plugin.name != "native":
                    raise ContractViolation(
                        f"sample {number}: format is {trace.format!r}",
                        mend=f"build with TraceBuilder(format={plugin.name!r})",
                    )
                # A run of many files may say which folder holds them all.
                folders = [Path(source.path).parent for source in sources[1:]]
                if trace.source not in (
                    "",
                    *(source.path for source in sources),
                    *map(str, folders),
                ):
                    if plugin.name != "native":
                        raise ContractViolation(
                            f"sample {number}: source is {trace.source!r}, which was not given",
                            mend="build with TraceBuilder(source=source.path)",
                        )


def check_ids_are_stable(plugin: Any, samples: Sequence[Any]) -> None:
    """Ids come from the content: neither from chance nor from where the file lies."""
    for number, files in enumerate(prepare(samples)):
        moved = Files(tuple((f"elsewhere/{name}", data) for name, data in files.content))
        ids = [[trace.id for trace in read(plugin, each).traces] for each in (files, files, moved)]
        if ids[0] != ids[1] or ids[0] != ids[2]:
            why = "read again" if ids[0] != ids[1] else "moved to another folder"
            raise ContractViolation(
                f"sample {number}: ids are {ids[0][:3]}, and others when the file is {why}",
                mend="take the id from the source, or leave it to TraceBuilder.build()",
            )


def check_nothing_said_is_lost(plugin: Any, samples: Sequence[Any]) -> None:
    """Every sentence of a JSON file is somewhere in its traces, or a diagnostic says it is not."""
    looked = False
    for number, files in enumerate(prepare(samples)):
        said = [text for value in _json_values(files) for text in _sentences(value)]
        looked = looked or bool(said)
        traces = read(plugin, files).traces
        if any(note.kind == "skipped" for trace in traces for note in trace.diagnostics):
            continue
        kept = words_of([trace.model_dump(mode="json") for trace in traces])
        for text in said:
            words = {word for word in words_of(text) if len(word) > 2}
            # A loader may take off what its framework puts around words.
            if len(lost := sorted(words - kept)) * 3 >= max(1, len(words)):
                raise ContractViolation(
                    f"sample {number}: {lost} of {text[:80]!r} are in no trace",
                    mend="keep what has no field in attributes=, or say with "
                    "builder.note('skipped', ...) that it was left out",
                )
    if not looked:
        raise CheckSkipped("no sample is JSON with sentences in it")


def check_unknown_fields_are_kept(plugin: Any, samples: Sequence[Any]) -> None:
    """A field the loader has never heard of is kept, or a diagnostic says it was skipped."""
    for number, value, again in _documents_with(samples, _UNKNOWN, depth=0):
        loaded = read(plugin, again)
        told = any(n.kind == "skipped" for trace in loaded.traces for n in trace.diagnostics)
        if told or loaded.problems:
            continue
        if "quarry" not in words_of([trace.model_dump(mode="json") for trace in loaded.traces]):
            raise ContractViolation(
                f"sample {number}: a field {next(iter(_UNKNOWN))!r} beside {sorted(value)[:4]} is "
                "lost",
                mend="pass what is left of a record as attributes=",
            )


def check_truth_is_out_of_reach(plugin: Any, samples: Sequence[Any]) -> None:
    """With labels, rewards or reference answers in it a file looks the same to a signal."""
    for number, value, again in _documents_with(samples, _TRUTH, depth=1):
        before, after = read(plugin, prepare(samples)[number]), read(plugin, again)
        if after.problems and not after.traces:
            continue  # a closed format, which refuses what it does not know
        for without, told in itertools.zip_longest(before.traces, after.traces):
            seen = _seen_by_signals(told)
            if seen != _seen_by_signals(without) or "vermilion" in seen:
                raise ContractViolation(
                    f"sample {number}: signals see that {', '.join(_TRUTH)} were added beside "
                    f"{sorted(value)[:4]}",
                    mend="give ground truth to builder.truth(), builder.label() or "
                    "builder.outcome(), and leave it out of attributes of steps and spans",
                )


def check_standard_input_will_do(plugin: Any, samples: Sequence[Any]) -> None:
    """Bytes that are no file give the same traces, or a TraceFormatError where they cannot."""
    for number, files in enumerate(prepare(samples)):
        if len(files.content) > 1:
            continue
        try:
            piped = list(plugin.load([Source("-", content=files.first)]))
        except TraceFormatError:
            continue
        ids = [trace.id for trace in read(plugin, files).traces]
        if [trace.id for trace in piped] != ids:
            raise ContractViolation(
                f"sample {number} gives traces {ids[:3]} as a file, "
                f"{[trace.id for trace in piped][:3]} on standard input",
                mend="read through source.documents(), lines(), read() or open(), not by its path",
            )


def check_order_of_files_does_not_matter(plugin: Any, samples: Sequence[Any]) -> None:
    """Files that belong together give the same traces in any order, and share a group key."""
    grouped = [files for files in prepare(samples) if len(files.content) > 1]
    if not hasattr(plugin, "group_keys"):
        raise CheckSkipped("the loader reads each file for itself: it has no group_keys")
    if not grouped:
        raise ContractViolation(
            "no sample has several files, and the loader has group_keys",
            mend="add one: Files.together({'a.json': b'...', 'b.json': b'...'})",
        )
    for files in grouped:
        with placed(files) as sources:
            keys = [list(plugin.group_keys(source)) for source in sources]
        for name, found in zip((n for n, _ in files.content), keys, strict=True):
            others = {key for each in keys if each is not found for key in each}
            if not all(isinstance(key, str) for key in found) or others.isdisjoint(found):
                raise ContractViolation(
                    f"group_keys of {name!r} are {found[:3]}, none of them another file's",
                    mend="yield the id of each run, as text, from every file that has a part of it",
                )
        backwards = Files(files.content[::-1])
        forth, back = ({_comparable(t) for t in read(plugin, f).traces} for f in (files, backwards))
        if forth != back:
            raise ContractViolation(
                f"{[name for name, _ in files.content]} give other traces in another order",
                mend="gather all files of a run and sort by what the source says of order",
            )


def check_input_is_unchanged(plugin: Any, samples: Sequence[Any]) -> None:
    """Files are read, never written, and nothing is left beside them."""
    for number, files in enumerate(prepare(samples)):
        with placed(files) as sources:
            list(plugin.load(sources))
            for source, (name, data) in zip(sources, files.content, strict=True):
                folder = Path(source.path).parent
                if Path(source.path).read_bytes() != data:
                    raise ContractViolation(
                        f"sample {number}: loading writes to {name!r}", mend="open files to read"
                    )
            left = sum(1 for path in folder.iterdir() if path.is_file())
            if left > len(files.content):
                raise ContractViolation(
                    f"sample {number}: loading leaves files beside {name!r}",
                    mend="open databases read-only (mode=ro&immutable=1), and write nothing",
                )


def _traces(plugin: Any, samples: Sequence[Any]) -> Iterator[tuple[int, Trace]]:
    for number, files in enumerate(prepare(samples)):
        for trace in read(plugin, files).traces:
            yield number, trace


def _json_values(files: Files) -> list[Any]:
    return [value for _, data in files.content for value in (damage.parse(data) or ([], False))[0]]


def _sentences(value: Any) -> Iterator[str]:
    """Texts of several words; of JSON inside a text, the texts in it."""
    if isinstance(value, str):
        inner = damage.parse(value.encode("utf-8", "replace")) if value[:1] in "{[" else None
        if inner and inner[0] and not isinstance(inner[0][0], str):
            yield from _sentences(inner[0])
        elif len(re.findall(r"\w+", value)) > 1 and " " in value.strip():
            yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _sentences(each)


def _documents_with(
    samples: Sequence[Any], fields: dict[str, Any], *, depth: int
) -> Iterator[tuple[int, dict[str, Any], Files]]:
    """Each JSON sample with fields added to its records, and to their items down to a depth."""
    looked = False
    for number, files in enumerate(prepare(samples)):
        parsed = damage.parse(files.first)
        if parsed is None:
            continue
        values, lines = copy.deepcopy(parsed)
        records = [v for value in values for v in (value if isinstance(value, list) else [value])]
        records = [record for record in records if isinstance(record, dict)]
        if not records:
            continue
        looked = True
        kept = dict(records[0])
        for record in records:
            items = [record]
            for _ in range(depth):
                items += [
                    i for r in items for v in r.values() if isinstance(v, list)
                    for i in v if isinstance(i, dict)
                ]  # fmt: skip
            for item in {id(item): item for item in items}.values():
                item.update({key: value for key, value in fields.items() if key not in item})
        yield number, kept, files.with_first(damage.dump(values, lines=lines))
    if not looked:
        raise CheckSkipped("no sample holds JSON objects")


def _seen_by_signals(trace: Trace | None) -> str:
    if trace is None:
        return "no trace"
    blind = trace.blind().model_copy(update={"id": "", "diagnostics": ()})
    return blind.model_dump_json()


def _comparable(trace: Trace) -> str:
    """A trace without what rightly depends on the order of files."""
    # Positions count from the first file on; labels of such formats join on ids.
    papers = {"line": None, "native_index": 0}
    blank = trace.model_copy(
        update={
            "source": "",
            "alone": True,
            "steps": tuple(step.model_copy(update=papers) for step in trace.steps),
            "spans": tuple(sorted(trace.spans, key=lambda span: span.id)),
            "agents": tuple(sorted(trace.agents, key=lambda agent: agent.name)),
        }
    )
    return json.dumps(blank.model_dump(mode="json"), sort_keys=True)


CHECKS = (
    check_sniff_knows_its_own,
    check_every_sample_gives_steps,
    check_traces_are_sound,
    check_traces_say_where_they_are_from,
    check_results_are_joined,
    check_ids_are_stable,
    check_nothing_said_is_lost,
    check_unknown_fields_are_kept,
    check_truth_is_out_of_reach,
    check_standard_input_will_do,
    check_order_of_files_does_not_matter,
    check_input_is_unchanged,
    check_sniff_leaves_others_alone,
    check_sniff_changes_nothing,
    *hostile_files.CHECKS,
)
