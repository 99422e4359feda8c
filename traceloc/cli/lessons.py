"""What ``label``, ``confirm`` and ``learn`` share where a judge writes what a failure teaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from traceloc.cli import console

if TYPE_CHECKING:
    from traceloc.judging.lessons import LessonCase
    from traceloc.judging.panel import Panel
    from traceloc.memory import FailureMemory
    from traceloc.registry import Registry
    from traceloc.settings import Settings


def find_teacher(settings: Settings, registry: Registry) -> Panel:
    """The judge that the settings name, to write lessons.

    Raises:
        TracelocError: If the memory is switched off, or the judge cannot be used.
    """
    from traceloc.errors import StoreError
    from traceloc.judged_scan import build_panel
    from traceloc.settings import NO_MEMORY

    if settings.memory == NO_MEMORY:
        raise StoreError(
            "the failure memory is switched off: there is nothing a judge could teach",
            code="TL541",
        )
    return build_panel(settings, registry=registry, learn=False)


def ask_lessons(memory: FailureMemory, cases: Sequence[LessonCase], teacher: Panel) -> bool:
    """Ask for lessons and say what came of each; whether every question was answered."""
    from traceloc.judging.lessons import teach_lessons
    from traceloc.labels.recording import name_user
    from traceloc.quoting import say_count
    from traceloc.reporting.terminal import one_line

    asked = failed = 0
    for lesson in teach_lessons(memory, cases, teacher, who=name_user()):
        asked += 1
        failed += lesson.failure is not None
        words = one_line(f"{lesson.schema.id}: {lesson.tells}")
        if lesson.failure is not None:
            console.warn("TL616", words)
        else:
            console.say(words)
    if not asked:
        console.say("no lesson was asked for: nothing new, or a judge has taught it before")
        return True
    cost = teacher.lesson_cost
    tokens = f"{cost.input_tokens + cost.output_tokens:,} tokens"
    money = "" if not cost.usd else f", ${cost.usd:.4f}"
    console.say(
        f"lessons: {asked} asked for, {failed} failed · {say_count(cost.calls, 'question')} sent, "
        f"{cost.cached} from the cache, {tokens}{money}"
    )
    return not failed
