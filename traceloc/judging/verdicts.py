"""Reads what a judge answered, and believes only what agrees with the trace and with itself."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from traceloc.categories import normalise_category
from traceloc.judgement import FailureKind, JudgeError, JudgeReply, Verdict
from traceloc.judging.view import CaseView, tame
from traceloc.quoting import shorten

LONGEST_ANSWER = 200_000
LONGEST_CLAIM = 600
OBJECTS_TRIED = 40
_MENTION = re.compile(r"(?:#|\bsteps?\s+#?)(\d{1,7})\b", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:I (?:can(?:no|')t|am unable to|won't)|I'm (?:sorry|unable)|as an AI)\b", re.IGNORECASE
)


T = TypeVar("T", bound=BaseModel)


def _as_number(value: Any) -> Any:
    """``"#17"``, ``"17"`` and ``17.0`` mean 17; ``true`` means nothing."""
    if isinstance(value, str) and (digits := value.strip().lstrip("#")).isdecimal():
        return int(digits[:9])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Number = Annotated[int, BeforeValidator(_as_number)]


class _Answer(BaseModel):
    # A judge that adds a field has still answered; one that leaves out the step has not.
    model_config = ConfigDict(extra="ignore", strict=True)

    claim: str
    step: Number | None
    agent: str | None = None
    category: str | None = None
    cites: list[Number] = Field(default_factory=list)
    alternative: Number | None = None


class _YesNo(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    claim: str
    error: bool
    category: str | None = None
    cites: list[Number] = Field(default_factory=list)


class _Half(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    claim: str
    half: str


def read_verdict(reply: JudgeReply, view: CaseView, *, allowed: Collection[int]) -> Verdict:
    """The checked verdict of an answer.

    Args:
        reply: What came back.
        view: The trace it is about.
        allowed: Steps it was asked about.

    Raises:
        JudgeError: If there is no verdict in it, or one that does not hold.
    """
    answer = parse_answer(reply, _Answer)
    return _check(answer, view, allowed)


def read_yes_no(reply: JudgeReply, view: CaseView, *, step: int) -> Verdict | None:
    """The verdict on one step; ``None`` where it is not the decisive error.

    Raises:
        JudgeError: As :func:`read_verdict`.
    """
    answer = parse_answer(reply, _YesNo)
    _check_steps(view, answer.cites)
    if not answer.error:
        return None
    return _make(view, step, answer.claim, answer.category, answer.cites, None)


def read_half(reply: JudgeReply) -> bool:
    """Whether the error is in the first half.

    Raises:
        JudgeError: As :func:`read_verdict`.
    """
    answer = parse_answer(reply, _Half)
    if answer.half not in ("first", "second"):
        _fail("invalid", f"'half' is {answer.half[:40]!r}; expected 'first' or 'second'")
    return answer.half == "first"


def _check(answer: _Answer, view: CaseView, allowed: Collection[int]) -> Verdict:
    named = [*answer.cites] + [s for s in (answer.step, answer.alternative) if s is not None]
    _check_steps(view, named)
    mentioned = {int(number) for number in _MENTION.findall(answer.claim)}
    if answer.step is None:
        if answer.agent is not None and answer.agent.strip().lower() not in ("", "none", "null"):
            _fail("contradictory", "blames no step and yet an agent")
        return _make(view, None, answer.claim, answer.category, answer.cites, answer.alternative)
    if answer.step not in allowed:
        _fail("outside", f"blames step {answer.step}, which it was not asked about")
    if mentioned and answer.step not in mentioned:
        _fail("contradictory", f"blames step {answer.step} and speaks of others only")
    if answer.alternative == answer.step:
        _fail("contradictory", f"weighs step {answer.step} against itself")
    actual = view.name(view.steps[answer.step].agent)
    if answer.agent is not None and _same(answer.agent) != _same(actual):
        _fail("contradictory", f"blames step {answer.step} and another agent than took it")
    return _make(view, answer.step, answer.claim, answer.category, answer.cites, answer.alternative)


def _make(
    view: CaseView,
    step: int | None,
    claim: str,
    category: str | None,
    cites: list[int],
    alternative: int | None,
) -> Verdict:
    known = normalise_category(category) if category else None
    # What it repeats of a masked text is masked; what it made up may look like a secret.
    words = " ".join(tame(view.redactor.mask(claim[: 4 * LONGEST_CLAIM])).split())
    return Verdict(
        step=step,
        agent=None if step is None else view.steps[step].agent,
        category=known.name if known is not None else None,
        claim=shorten(words, LONGEST_CLAIM),
        cites=tuple(dict.fromkeys(cites)) if step is None else tuple(dict.fromkeys([step, *cites])),
        alternative=alternative,
    )


def _check_steps(view: CaseView, named: list[int]) -> None:
    for step in named:
        if not 0 <= step < len(view):
            _fail("invented", f"names step {step}; the trace has steps 0 to {len(view) - 1}")


def parse_answer(reply: JudgeReply, model: type[T]) -> T:
    """The one object of a form that an answer holds.

    Raises:
        JudgeError: If it holds none or several that differ, was cut off, or is a refusal.
    """
    if reply.finish == "refusal":
        _fail("refusal", "the judge refused")
    if reply.finish == "length":
        _fail("truncated", "the answer was cut off")
    found: list[T] = []
    why = "no JSON object"
    for value in read_json(reply.text):
        try:
            found.append(model.model_validate(value))
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if not found:
        if _REFUSAL.search(reply.text[:400]) and "{" not in reply.text:
            _fail("refusal", "the judge refused")
        _fail("invalid", f"the answer is not of the form asked for: {why}")
    if any(each != found[0] for each in found[1:]):
        _fail("contradictory", f"{len(found)} answers in one")
    return found[0]


def read_json(text: str) -> list[dict[str, Any]]:
    """The JSON objects in a text, outermost ones only: models like to talk around them."""
    text = text[:LONGEST_ANSWER]
    decoder, found, place = json.JSONDecoder(), [], 0
    for _ in range(OBJECTS_TRIED):
        place = text.find("{", place)
        if place < 0:
            break
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        if isinstance(value, dict):
            found.append(value)
        place = end
    return found


def _same(name: str) -> str:
    return "".join(name.casefold().replace("_", " ").split())


def _fail(kind: FailureKind, message: str) -> NoReturn:
    raise JudgeError(kind, message)
