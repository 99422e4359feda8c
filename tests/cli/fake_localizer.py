"""A localizer whose answers are written into the trace: the step that says FAULT is the fault."""

from __future__ import annotations

from typing import Any

from traceloc.attribution import AgentShare, Attribution, Candidate, Citation, Evidence, Symptom
from traceloc.quoting import quote_step
from traceloc.trace import Trace


class FakeLocalizer:
    def __init__(self, top_k: int) -> None:
        self.top_k = top_k

    def localize(self, trace: Trace) -> Attribution:
        common: dict[str, Any] = {
            "trace_id": trace.id,
            "system": trace.system,
            "format": trace.format,
            "n_steps": len(trace.steps),
            "n_candidates": len(trace.steps),
        }
        if not trace.steps:
            return Attribution(
                locator=trace.locator(), status="unmeasured", reason="it has no steps", **common
            )
        order = sorted(trace.steps, key=lambda step: ("FAULT" not in step.text, step.index))
        total = sum(0.5**rank for rank in range(1, len(order) + 1))
        candidates = tuple(
            Candidate(
                rank=rank,
                step=step.index,
                native_index=step.native_index,
                agent=step.agent,
                kind=step.kind,
                quote=quote_step(step),
                score=float(-rank),
                probability=0.5**rank / total,
                evidence=(
                    Evidence(
                        signal="fake.fault",
                        claim="states a number that nothing before it contains",
                        cites=(Citation(step=step.index, quote=step.text[:40]),),
                    ),
                )
                if rank == 1
                else (),
            )
            for rank, step in enumerate(order[: self.top_k], 1)
        )
        if "FAULT" not in order[0].text:
            return Attribution(
                locator=trace.locator(),
                status="abstained",
                reason="no step stands out",
                candidates=candidates,
                **common,
            )
        return Attribution(
            locator=trace.locator(order[0].index),
            status="located",
            candidates=candidates,
            agents=tuple(
                AgentShare(agent=name, probability=1 / 2**i)
                for i, name in enumerate(dict.fromkeys(step.agent for step in order), 1)
            ),
            symptom=Symptom(step=len(trace.steps) - 1, claim="the final answer repeats it"),
            **common,
        )


def make_fake(options: Any, registry: Any) -> FakeLocalizer:
    return FakeLocalizer(options.top_k)
