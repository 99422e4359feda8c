"""One run of two agents that goes wrong in a known place; every framework is made to live it.

The archivist finds two copies of an atlas and hands the one that may travel to the loan desk, which
requests the other. On the way a tool fails that nobody needed: the first error is not the answer.

Read by the interpreters of the frameworks too: nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TASK = (
    "Please borrow a copy of the Alder atlas for our exhibition from 3 May to 30 June 2027. It has "
    "to be a copy that may travel, insured for less than 20,000 EUR."
)
ARCHIVIST = "archivist"
ARCHIVIST_PROMPT = "You find out which copies of a book there are and what state they are in."
LOAN_DESK = "loan_desk"
LOAN_DESK_PROMPT = "You request loans from other libraries, exactly as they were asked for."
LOAN_DESK_BLURB = "Requests loans of copies that were found before."
ORDER = (
    "Request copy A-118 of the Alder atlas from 2027-05-03 to 2027-06-30; it may travel and is "
    "insured for 14,000 EUR."
)
SERVICE_DOWN = "condition service: no answer after 8 s"
LOAN = "L-5502"
PERIOD = {"start": "2027-05-03", "end": "2027-06-30"}


class ServiceDown(RuntimeError):
    """The benign error."""


def find_copies(title: str) -> str:
    """All copies of a book, with their place and their terms.

    Args:
        title: Title of the book.
    """
    copies = [
        {"copy": "A-118", "place": "Basel", "may_travel": True, "insured_eur": 14000},
        {"copy": "A-181", "place": "Gent", "may_travel": False, "insured_eur": 52000},
    ]
    return json.dumps({"title": title, "copies": copies})


def read_condition(copy: str) -> str:
    """The last report on the condition of a copy.

    Args:
        copy: Shelf mark of the copy.
    """
    raise ServiceDown(SERVICE_DOWN)


def request_loan(copy: str, start: str, end: str) -> str:
    """Request a copy from the library that has it.

    Args:
        copy: Shelf mark of the copy.
        start: First day, as YYYY-MM-DD.
        end: Last day, as YYYY-MM-DD.
    """
    return json.dumps({"loan": LOAN, "copy": copy, "from": start, "until": end, "state": "sent"})


DONE = f"Loan {LOAN} of the Alder atlas is requested from 3 May to 30 June 2027."
REPORT = f"{DONE} It is copy A-118 from Basel."


@dataclass(frozen=True)
class Call:
    """A tool call of the scripted model."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """One answer of the scripted model."""

    text: str = ""
    calls: tuple[Call, ...] = ()


LOOK_UP = (Call("find_copies", {"title": "Alder atlas"}), Call("read_condition", {"copy": "A-118"}))
DECISIVE = Call("request_loan", {"copy": "A-181", **PERIOD})
"""The wrong call: A-181 stays in its reading room."""


def write_script(
    handover: Call | None, *, answer_tool: str | None = None, last: str = REPORT
) -> dict[str, tuple[str, tuple[Turn, ...]]]:
    """Prompt and turns of each agent.

    Args:
        handover: How the archivist gives the work away in this framework; ``None`` where it ends
            with what it found.
        answer_tool: The tool that takes final answers, where the framework has one.
        last: What the archivist says in the end, where it is asked once more.
    """

    def answer(text: str) -> Turn:
        return Turn(calls=(Call(answer_tool, {"answer": text}),)) if answer_tool else Turn(text)

    found = (
        "Copy A-118 in Basel may travel and is insured for 14,000 EUR. The condition service does "
        "not answer, which the loan does not depend on. I pass it to the loan desk."
    )
    return {
        ARCHIVIST: (
            ARCHIVIST_PROMPT,
            (Turn(calls=LOOK_UP), Turn(found, (handover,) if handover else ()), answer(last)),
        ),
        LOAN_DESK: (LOAN_DESK_PROMPT, (Turn(calls=(DECISIVE,)), answer(DONE))),
    }
