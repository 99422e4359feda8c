"""Loaders with one flaw each, by the check that must find it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from flaws import WORDS, Flaws
from sound_plugins import Diary

from traceloc import Trace
from traceloc.loading import Head, Source, TraceBuilder

FLAWS = Flaws()


class Changing(Diary):
    """Changes what the sound loader gives."""

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        for trace in super().load(sources):
            yield self.change(trace, sources)

    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        raise NotImplementedError


def with_step(trace: Trace, position: int, **update: Any) -> Trace:
    steps = list(trace.steps)
    if position < len(steps):
        steps[position] = steps[position].model_copy(update=update)
    return trace.model_copy(update={"steps": tuple(steps)})


@FLAWS.of("interface")
class WrongParameter(Diary):
    def load(self, path: str, mode: str) -> Any:  # type: ignore[override]
        return iter(())


@FLAWS.of("sniff_knows_its_own")
class Shy(Diary):
    def sniff(self, head: Head) -> float:
        return 0.05


@FLAWS.of("sniff_leaves_others_alone")
class Greedy(Diary):
    def sniff(self, head: Head) -> float:
        return 0.9 if head.records else 0.0


@FLAWS.of("sniff_changes_nothing")
class Taking(Diary):
    def sniff(self, head: Head) -> float:
        return 0.9 if head.records and head.records[0].pop("diary", None) else 0.5


@FLAWS.of("every_sample_gives_steps")
class Silent(Diary):
    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        yield TraceBuilder(format=self.name, source=sources[0].path).build()


@FLAWS.of("traces_are_sound")
class Misnumbered(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        return with_step(trace, 1, index=7)


@FLAWS.of("results_are_joined")
class Unjoined(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        for step in trace.steps:
            if step.tool_result:
                answer = step.tool_result.model_copy(update={"call_step": None})
                trace = with_step(trace, step.index, tool_result=answer)
            calls = tuple(c.model_copy(update={"result_step": None}) for c in step.tool_calls)
            trace = with_step(trace, step.index, tool_calls=calls) if calls else trace
        return trace


@FLAWS.of("traces_say_where_they_are_from")
class Anonymous(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        return trace.model_copy(update={"format": "json"})


@FLAWS.of("ids_are_stable")
class Pathbound(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        return trace.model_copy(update={"id": sources[0].path})


@FLAWS.of("nothing_said_is_lost")
class Forgetful(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        return with_step(trace, 0, text="")


@FLAWS.of("unknown_fields_are_kept")
class Narrow(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        mood = {k: v for k, v in trace.attributes.items() if k == "mood"}
        return trace.model_copy(update={"attributes": mood})


@FLAWS.of("truth_is_out_of_reach")
class Blabbing(Diary):
    def add(self, builder: TraceBuilder, position: int, entry: dict[str, Any]) -> None:
        super().add(builder, position, entry)
        left = {key: value for key, value in entry.items() if key in ("reward", "is_correct")}
        builder.steps[-1] = builder.steps[-1].model_copy(update={"attributes": left})


@FLAWS.of("order_of_files_does_not_matter")
class FirstFileOnly(Diary):
    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        return super().load(sources[:1])


@FLAWS.of("input_is_unchanged")
class Scribbling(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        Path(sources[0].path + ".cache").write_text("x")
        return trace


@FLAWS.of("standard_input_will_do")
class ByPath(Diary):
    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        return super().load([Source(s.path, content=Path(s.path).read_bytes()) for s in sources])


@FLAWS.of("damage_is_told")
class Hushing(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        sources[0].problems.clear()
        return trace


class Trusting(Diary):
    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        for source in sources:
            builder = TraceBuilder(format=self.name, source=source.path)
            for position, entry in enumerate(self.parse(source)):
                self.add(builder, position, entry)
            yield builder.build()

    def parse(self, source: Source) -> Any:
        return source.document()["diary"]


@FLAWS.of("cut_off_files")
class TrustingJson(Trusting):
    def parse(self, source: Source) -> Any:
        return json.loads(source.read())["diary"]


FLAWS.found["mutated_files"] = Trusting


@FLAWS.of("strange_files")
class TrustingEncoding(Diary):
    def sniff(self, head: Head) -> float:
        return 0.9 if '"diary"' in head.data.decode() else 0.0


@FLAWS.of("same_again")
class Counting(Changing):
    seen = 0

    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        type(self).seen += 1
        return trace.model_copy(update={"session_id": str(self.seen)})


@FLAWS.of("leaves_the_process_alone")
class Rude(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        random.seed(len(os.environ) + len(trace.steps))
        return trace


@FLAWS.of("same_in_another_process")
class Unsorted(Changing):
    def change(self, trace: Trace, sources: Sequence[Source]) -> Trace:
        return trace.model_copy(update={"session_id": " ".join(WORDS)})
