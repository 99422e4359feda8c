from __future__ import annotations

from collections.abc import Callable

import pytest

from traceloc.trace import Agent, Outcome, Step, Trace

MakeRun = Callable[..., Trace]
TASK = "book a flight from Lisbon to Oslo for two people"


@pytest.fixture
def make_run() -> MakeRun:
    """A run of one agent that says the texts; an outcome of ``None`` is unknown."""

    def make(
        identifier: str,
        *texts: str,
        passed: bool | None = None,
        task: str | None = TASK,
        system: str | None = "desk",
        **fields: object,
    ) -> Trace:
        steps = tuple(
            Step(
                index=i, native_index=i, kind="message", role="assistant", agent="clerk", text=text
            )
            for i, text in enumerate(texts)
        )
        outcome = Outcome()
        if passed is not None:
            outcome = Outcome(status="passed" if passed else "failed", source="label")
        return Trace(
            id=identifier,
            format="native",
            task=task,
            system=system,
            agents=(Agent(name="clerk", kind="worker"),),
            steps=steps,
            outcome=outcome,
            **fields,
        )

    return make
