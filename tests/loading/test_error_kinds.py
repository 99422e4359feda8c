"""Kinds of declared errors, by their words and by the class of the exception."""

from __future__ import annotations

import pytest

from traceloc.loading import declared_error


@pytest.mark.parametrize(
    ("type", "message", "kind"),
    [
        ("GraphRecursionError", "no end after 5 rounds of the graph", "limit"),
        (None, "Recursion limit of 5 reached", "limit"),
        ("MaxTurnsExceeded", "gave up", "limit"),
        (None, "the agent reached the maximum number of iterations", "limit"),
        ("UsageLimitExceeded", "the next call would be one too many", "limit"),
        (None, "stopped at its iteration limit", "limit"),
        ("RecursionError", "maximum recursion depth exceeded", "tool"),
        (None, "the speed limit is 50", "tool"),
        ("InputGuardrailTripwireTriggered", "no swearing", "permission"),
        (None, "Guardrail tripwire triggered", "permission"),
        ("TimeoutError", "nobody answered", "timeout"),
        ("ValueError", "no such lamp", "tool"),
        ("GraphInterrupt", "wait for the boss; recursion limit 5", "control_flow"),
    ],
)
def test_kind(type, message, kind):
    assert declared_error(message, type=type).kind == kind


def test_a_stated_kind_stays():
    assert declared_error("recursion limit", kind="model").kind == "model"
