"""Lets a judge teach the failure memory: ask for a lesson, examine it, keep it if it passes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from traceloc.errors import TracelocError
from traceloc.graph import TraceGraph
from traceloc.judgement import JudgeError, JudgeFailure
from traceloc.judging.distilling import JudgedLesson
from traceloc.judging.running import run_ordered
from traceloc.memory.lessons import Mark, Prose, keep_lesson, mark_exam, mask_lesson, set_exam
from traceloc.memory.masking import names_of
from traceloc.memory.schema import ErrorSchema
from traceloc.quoting import say_count

if TYPE_CHECKING:
    from traceloc.judging.panel import Panel
    from traceloc.memory.memory import FailureMemory
    from traceloc.trace import Trace


class LessonCase(NamedTuple):
    """A remembered failure that a judge may be asked about."""

    row: str
    """Its id."""
    step: int
    """Index of the failing step in its run."""
    load: Callable[[], Trace | None]
    """Gives the run it is from, if it is still found."""


class Lesson(NamedTuple):
    """What came of asking about one schema."""

    schema: ErrorSchema
    """As it stands now."""
    kept: bool = False
    mark: Mark | None = None
    """Of its exam, if it came to one."""
    failure: JudgeFailure | None = None
    """Why there is no lesson; the schema is what it was then."""

    @property
    def tells(self) -> str:
        """In one line, what came of it."""
        if self.failure is not None:
            return f"no lesson, {self.failure.kind}: {self.failure.message}"
        if self.mark is None:
            return (
                "no lesson: there are no ordinary steps to tell it from, or no room for questions"
            )
        replay = f"replay {self.mark.before:.2f} to {self.mark.after:.2f}"
        if not self.kept:
            return f"lesson refused, {replay}"
        return f"lesson kept: {say_count(len(self.mark.kept), 'question')}, {replay}"


def teach_lessons(
    memory: FailureMemory, cases: Iterable[LessonCase], panel: Panel, *, who: str = "unknown"
) -> Iterator[Lesson]:
    """Ask about each schema that no judge has taught yet, once; what came of it, in order.

    Several are asked about at the same time. A failing judge changes nothing.

    Args:
        memory: What is taught.
        cases: Failures it remembers.
        panel: Whose first judge teaches.
        who: Who asked for it.

    Raises:
        StoreError: If the memory or the cache cannot be used.
    """
    yield from run_ordered(
        _tasks(memory, cases, panel, who),
        ahead=2 * panel.options.concurrency,
        finish=panel.close,
    )


def _tasks(
    memory: FailureMemory, cases: Iterable[LessonCase], panel: Panel, who: str
) -> Iterator[Lesson | Callable[[], Coroutine[Any, Any, Lesson]]]:
    asked = set()
    for case in cases:
        schema = _find_schema(memory, case.row)
        if schema is None or schema.judge is not None or schema.id in asked:
            continue
        trace = case.load()
        if trace is None or not 0 <= case.step < len(trace.steps):
            continue
        asked.add(schema.id)
        yield partial(teach_lesson, memory, schema, trace, case.step, panel, who=who)


async def teach_lesson(
    memory: FailureMemory,
    schema: ErrorSchema,
    trace: Trace,
    step: int,
    panel: Panel,
    *,
    who: str = "unknown",
) -> Lesson:
    """Ask for one lesson, examine it, and keep it if it passes; never raises for a judge's failure.

    Args:
        memory: What is taught.
        schema: Without a lesson so far.
        trace: A run in which it failed.
        step: Where.
        panel: Whose first judge teaches.
        who: Who asked for it.

    Raises:
        StoreError: If the memory or the cache cannot be used.
    """
    try:
        lesson = await panel.distil(trace, step)
        prose = mask_lesson(_to_prose(lesson, panel.teacher), names_of(TraceGraph(trace)))
        exam = set_exam(memory, schema, prose)
        if exam is None or len(exam.questions) == exam.old:
            return Lesson(schema)
        mark = mark_exam(exam, await panel.examine(trace, step, exam))
    except JudgeError as error:
        return Lesson(schema, failure=JudgeFailure(kind=error.kind, message=error.message))
    except TracelocError:
        raise
    except Exception as error:  # a trace or a plugin that breaks us is a record, not an end
        said = f"{type(error).__name__}: {error}"[:300]
        return Lesson(schema, failure=JudgeFailure(kind="crash", message=said))
    told = keep_lesson(memory, schema.id, prose, mark, who=who) if mark.passed else None
    return Lesson(told or schema, kept=told is not None, mark=mark)


def _to_prose(lesson: JudgedLesson, author: str) -> Prose:
    return Prose(lesson.context, lesson.signature, lesson.heuristics, author, lesson.category)


def _find_schema(memory: FailureMemory, row: str) -> ErrorSchema | None:
    """The schema that holds a failure now: it may have been distilled into another since."""
    for remembered in memory.store.get([row]):
        for found in memory.store.get([remembered.belongs_to or ""]):
            return found.schema_
    return None
