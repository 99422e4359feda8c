"""The one table of failure categories: names, the nearest in the other taxonomy, spellings, rules.

MAST: Cemri et al. (2025), "Why do multi-agent LLM systems fail?", 14 modes. AgentRx: Barke et al.
(2026), ten categories; its released labels spell them in several ways. A nearest name says what the
other taxonomy would file most such cases under; where it has no place for them there is none.

Rules follow the definitions; some fifty labels of fifteen kinds are too few to fit them. Looking at
those, the threshold was raised by hand, because research brings in much that is new and true.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Taxonomy = Literal["mast", "agentrx"]


class Category(NamedTuple):
    """A name of one taxonomy."""

    name: str
    taxonomy: Taxonomy
    code: str | None = None
    """Number in MAST."""
    nearest: str | None = None
    """Name in the other taxonomy."""
    variants: tuple[str, ...] = ()
    """Other spellings, beyond case, punctuation and a final "failure"."""
    rules: tuple[tuple[str, float], ...] = ()
    """Features that speak for it, and how strongly; one that is not measured is passed over."""


_ADHERENCE = "Instruction/Plan Adherence Failure"
_MISALIGNED = "Intent-Plan Misalignment"
_UNDERSPECIFIED = "Underspecified User Intent"

CATEGORIES: tuple[Category, ...] = (
    Category(
        _ADHERENCE,
        "agentrx",
        nearest="Disobey Task Specification",
        variants=("Instruction Adherence", "Plan Adherence", "Instruction or Plan Adherence"),
        rules=(("constraints.writes_unasked", 1.0), ("handoff.order_not_taken_up", 0.5)),
    ),
    Category(
        "Invention of New Information",
        "agentrx",
        variants=("Hallucination", "Invented Information"),
        rules=(
            ("grounding.in_answer", 0.6),
            ("grounding.numbers_in_words", 0.4),
            ("grounding.number_share", 0.4),
            ("grounding.simulate", 0.8),
            ("grounding.assume_and_data", 0.6),
            ("grounding.memory", 0.8),
            ("answer.unsupported", 0.4),
        ),
    ),
    Category(
        "Invalid Invocation",
        "agentrx",
        variants=("Invalid Tool Invocation", "Tool Invocation Error"),
        rules=(
            ("constraints.bad_arguments", 1.5),
            ("constraints.unknown_tool", 1.5),
            ("constraints.unsourced_arguments", 0.5),
            ("errors.first_act_failed", 0.5),
            ("errors.unrecovered", 0.3),
        ),
    ),
    Category(
        "Misinterpretation of Tool Output",
        "agentrx",
        variants=("Tool Output Misinterpretation", "Misinterpretation of Tool Outputs"),
        rules=(
            ("claims.near_miss", 1.0),
            ("claims.drops_result", 0.5),
            ("errors.concludes_after_empty", 0.8),
            ("errors.ignores_error", 0.4),
            ("grounding.after_tool_new_numbers", 0.4),
        ),
    ),
    Category(
        _MISALIGNED,
        "agentrx",
        nearest="Task Derailment",
        variants=("Intent Plan Misalignment", "Plan Intent Misalignment"),
        rules=(("handoff.drops_task_values", 0.5), ("handoff.order_then_stall", 0.5)),
    ),
    Category(
        _UNDERSPECIFIED,
        "agentrx",
        nearest="Fail to Ask for Clarification",
        variants=("Under-specified User Intent", "Underspecified Intent"),
        rules=(("kind.human", 3.0),),
    ),
    Category(
        "Intent Not Supported",
        "agentrx",
        variants=("Unsupported Intent",),
        rules=(("constraints.gives_up_to_human", 2.0), ("grounding.no_access", 0.7)),
    ),
    Category("Guardrails Triggered", "agentrx", variants=("Guardrail Triggered",)),
    Category("System Failure", "agentrx", variants=("System Error",)),
    Category("Inconclusive", "agentrx"),
    Category("Disobey Task Specification", "mast", "1.1", _ADHERENCE),
    Category("Disobey Role Specification", "mast", "1.2", _ADHERENCE, ("Disobey Role",)),
    Category(
        "Step Repetition",
        "mast",
        "1.3",
        _ADHERENCE,
        rules=(("repetition.same_call", 1.0), ("repetition.starts_loop", 0.6)),
    ),
    Category(
        "Loss of Conversation History", "mast", "1.4", variants=("Context Loss", "History Loss")
    ),
    Category(
        "Unaware of Termination Conditions", "mast", "1.5", _ADHERENCE, ("Unaware of Termination",)
    ),
    Category("Conversation Reset", "mast", "2.1"),
    Category("Fail to Ask for Clarification", "mast", "2.2", _UNDERSPECIFIED),
    Category("Task Derailment", "mast", "2.3", _MISALIGNED, ("Goal Drift",)),
    Category("Information Withholding", "mast", "2.4", variants=("Information Loss",)),
    Category(
        "Ignored Other Agent's Input", "mast", "2.5", _ADHERENCE, ("Ignored Other Agents Input",)
    ),
    Category("Reasoning-Action Mismatch", "mast", "2.6", _ADHERENCE, ("Logic-Action Mismatch",)),
    Category("Premature Termination", "mast", "3.1", _ADHERENCE, ("Early Termination",)),
    Category(
        "No or Incomplete Verification",
        "mast",
        "3.2",
        _ADHERENCE,
        rules=(("claims.verifies_unseen", 1.2), ("kind.swallows_errors", 1.2)),
    ),
    Category("Incorrect Verification", "mast", "3.3"),
)
"""AgentRx in the order of its paper, then MAST by number."""
