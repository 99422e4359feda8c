"""One plugin of each kind that keeps its contract; the tests break them in every way."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from traceloc import Trace
from traceloc.attribution import Citation, Evidence
from traceloc.contracts import Feature
from traceloc.judgement import JudgeError, JudgePrompt, JudgeReply
from traceloc.loading import Head, Source, TraceBuilder
from traceloc.memory.sqlite_store import SqliteBackend
from traceloc.report import Report, ReportOptions
from traceloc.reporting.terminal import clip, one_line
from traceloc.reporting.text import to_target
from traceloc.testing import Files
from traceloc.trace import ToolCall

DIARY = {
    "run": "r-1",
    "mood": "the weather is fine",
    "diary": [
        {"who": "cook", "what": "I assume it is salt."},
        {"who": "cook", "what": "", "call": {"id": "c1", "name": "taste", "with": "the blue jar"}},
        {"who": "taste", "answers": "c1", "what": "very sweet indeed"},
        {"who": "guest", "what": "This is sugar, not salt!"},
    ],
}
PARTS = Files.together(
    {
        "1.json": b'{"run": "r-1", "diary": [{"nr": 2, "who": "cook", "what": "Soup is ready."}]}',
        "2.json": b'{"run": "r-1", "diary": [{"nr": 1, "who": "cook", "what": "I add salt."}]}',
    }
)


class Diary:
    name = "diary"
    api_version = 1

    def sniff(self, head: Head) -> float:
        return 0.9 if any("diary" in record for record in head.records[:1]) else 0.0

    def group_keys(self, source: Source) -> Iterable[str]:
        for value, _ in source.documents():
            if isinstance(value, dict) and isinstance(value.get("run"), str):
                yield value["run"]

    def load(self, sources: Sequence[Source]) -> Iterator[Trace]:
        builder = TraceBuilder(format=self.name, source=sources[0].path)
        kept: dict[str, Any] = {}
        entries: list[dict[str, Any]] = []
        for source in sources:
            for value, _ in source.documents():
                if not isinstance(value, dict) or not isinstance(value.get("diary"), list):
                    source.report("is no diary", code="TL120")
                    continue
                entries += [entry for entry in value["diary"] if isinstance(entry, dict)]
                kept |= {key: v for key, v in value.items() if key != "diary"}
        if not entries:
            raise sources[0].error("holds no diary", code="TL106")
        entries.sort(key=lambda entry: entry["nr"] if isinstance(entry.get("nr"), int) else 0)
        for position, entry in enumerate(entries):
            self.add(builder, position, entry)
        run = kept.get("run")
        kept = {key: value for key, value in kept.items() if type(value) in (str, int, bool)}
        yield builder.build(id=run if isinstance(run, str) and run else None, attributes=kept)

    def add(self, builder: TraceBuilder, position: int, entry: dict[str, Any]) -> None:
        call, answers = entry.get("call"), entry.get("answers")
        calls = ()
        if isinstance(call, dict):
            calls = (ToolCall(name=str(call.get("name")), id=self.id(call), arguments=str(call)),)
        builder.step(
            kind="result" if answers else "action" if calls else "message",
            role="tool" if answers else "assistant",
            agent=str(entry.get("who") or "").strip() or "somebody",
            native_index=position,
            text=str(entry.get("what")),
            calls=calls,
            call_id=str(answers) if answers else None,
        )

    def id(self, call: dict[str, Any]) -> str:
        return str(call.get("id"))


class Shouting:
    name = "shouting"
    api_version = 1
    features = (
        Feature("capitals", "is written in capitals", sign=+1, prior=0.5),
        Feature("length", "is long", "system"),
    )

    def measure(self, graph: Any) -> Any:
        rows = [[self.loud(graph, s), np.log1p(len(s.text))] for s in graph.steps]
        return np.array(rows, np.float32).reshape(len(graph), 2)

    def loud(self, graph: Any, step: Any) -> float:
        return float("Error" in step.text)

    def explain(self, graph: Any, step: int, feature: str) -> Evidence | None:
        quote = graph.steps[step].text[:160]
        return Evidence(
            signal=f"{self.name}.{feature}",
            claim="is loud",
            cites=(Citation(step=step, start=0, end=len(quote), quote=quote),),
        )


class Plain:
    name = "plain"
    api_version = 1

    def render(self, report: Report, *, options: ReportOptions) -> Iterator[str]:
        for attribution in report:
            words = one_line(f"{attribution.locator} {attribution.reason or attribution.top.quote}")
            yield to_target(clip(words, options.width), options)
        yield f"{report.summary.located} located\n"


class Letters:
    name = "letters"
    api_version = 1

    def fingerprint(self) -> str:
        return "letters:64"

    def embed(self, texts: Sequence[str]) -> Any:
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            words = text.split()
            for word in words:
                row[zlib.crc32(word.encode("utf-8", "replace")) % 64] += 1
            if words:
                row /= np.linalg.norm(row)
        return rows


class Shelf(SqliteBackend):
    name = "shelf"


class Echo:
    name = "echo"
    api_version = 1

    async def ask(self, prompt: JudgePrompt) -> JudgeReply:
        if prompt.url != "http://127.0.0.1:1/v1":
            raise JudgeError("connection", "nobody is there")
        return JudgeReply(text=f"{len(prompt.user)} characters")


PROMPTS = (
    JudgePrompt(
        model="m", url="http://127.0.0.1:1/v1", system="Judge.", user="Which step is wrong?"
    ),
    JudgePrompt(model="m", url="http://127.0.0.1:1/v1", system="Judge.", user="And which now?"),
)

SOUND: dict[str, tuple[type, tuple[Any, ...]]] = {
    "loaders": (Diary, (DIARY, PARTS)),
    "signals": (Shouting, ()),
    "reporters": (Plain, ()),
    "embedders": (Letters, ()),
    "memories": (Shelf, ()),
    "judges": (Echo, PROMPTS),
}
