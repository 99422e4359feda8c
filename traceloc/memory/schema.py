"""An error schema: one failure, condensed until another run can be recognised by it.

What transfers between runs is the failing step itself: what was said or called, by which role, with
which tool, in which phase. Prose (context, heuristics, fix) is for readers and judges.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import Field

from traceloc.trace import Document, Role, StepKind

Phase = Literal["opening", "middle", "closing", "only"]
Origin = Literal["confirmed", "labelled", "injected", "shipped", "distilled"]

MAX_TEXT = 600
"""Characters of the masked step that are kept; what stands in the middle is left out."""
MAX_SIGHTINGS = 8
"""Sightings listed by name; older ones are only counted."""


class Signature(Document):
    """What a step must look like to be this failure."""

    text: str
    """The failing step, masked: words stay, numbers, ids, paths and names became slots."""
    role: Role = "assistant"
    kind: StepKind = "message"
    tool: str | None = None
    """The first tool it calls, or whose result it is."""
    phase: Phase = "middle"
    """Which part of the run it stands in, by acting steps: first fifth, last fifth, between."""
    signals: tuple[str, ...] = ()
    """``family.feature`` of the signals that fired, strongest first."""


class Context(Document):
    """What stood around the failing step, masked."""

    before: tuple[str, ...] = ()
    """The steps before it, oldest first."""
    after: str = ""
    """What it caused: the next step, or the symptom."""
    when: str = ""
    """When the failure comes up, in general words."""


class Sighting(Document):
    """A place where the failure was seen."""

    locator: str
    origin: Origin
    at: datetime | None = None


class Counts(Document):
    """How the schema has fared."""

    seen: int = 0
    """Failures that were merged into it, itself included."""
    hits: int = 0
    """Traces a person has answered for in which it was recalled."""
    confirmed: int = 0
    """Recalls a person confirmed."""
    rejected: int = 0
    """Recalls a person rejected."""
    last_hit: datetime | None = None


class ErrorSchema(Document):
    """A condensed past failure."""

    schema_version: Literal[1] = 1
    id: str
    """``S`` and hexadecimal digits of a hash of system and signature; never random."""
    system: str | None = None
    """The agent system it was seen in; ``None`` for one that holds anywhere."""
    title: str = ""
    """One line for a reader."""
    signature: Signature
    template: str | None = None
    """Of a distilled schema: what its members share, with ``<*>`` where they differ."""
    context: Context = Context()
    heuristics: tuple[str, ...] = ()
    """Questions that detect it, answerable from the trace with yes or no; yes means failure."""
    mast: str | None = None
    """Name in MAST; ``None`` where it has none for this."""
    agentrx: str | None = None
    """Name in AgentRx, likewise."""
    category: str | None = None
    """The source's own name of the category."""
    fix: str | None = None
    """What mended it."""
    judge: str | None = None
    """Model that wrote title, ``context.when`` and questions; ``None`` where none did."""
    origin: Origin
    sightings: tuple[Sighting, ...] = Field(default=(), max_length=MAX_SIGHTINGS)
    counts: Counts = Counts()
    created: datetime | None = None


def name_schema(system: str | None, signature: Signature) -> str:
    """The id of a schema: the same failure of the same system always gets the same."""
    content = f"{system}\x1f{signature.model_dump_json()}"
    return "S" + hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=8).hexdigest()
