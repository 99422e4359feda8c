"""Trajectories of several files, joined where one refers to another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traceloc.exporting.atif import OWN
from traceloc.loading import Source
from traceloc_plugins.facts import word
from traceloc_plugins.records import bounded


@dataclass(slots=True, eq=False)
class Document:
    """One trajectory."""

    raw: dict[str, Any]
    source: Source
    line: int | None
    path: str
    """Where it stands, for references by path; empty for one inside another."""
    offset: int = 0
    """Added to positions, so that those of linked trajectories do not collide."""
    continuation: Document | None = None
    helpers: list[Document] = field(default_factory=list)
    """Embedded trajectories of sub-agents, then those of other files."""

    @property
    def steps(self) -> list[Any]:
        """Its steps as they stand."""
        steps = self.raw.get("steps")
        return steps if isinstance(steps, list) else []

    @property
    def agent(self) -> dict[str, Any]:
        """What it says of its agent."""
        agent = self.raw.get("agent")
        return agent if isinstance(agent, dict) else {}

    @property
    def names(self) -> tuple[str, ...]:
        """What others may call it by, most exact first."""
        found = (word(self.raw.get("trajectory_id")), word(self.raw.get("session_id")))
        return tuple(name for name in found if name)


@dataclass(frozen=True, slots=True)
class Reference:
    """A sub-agent's trajectory, as a result names it."""

    id: str | None
    path: str | None
    session: str | None


def read_documents(source: Source) -> Iterator[Document]:
    """Trajectories of one file."""
    path = str(Path(source.path).absolute()) if source.content is None else source.path
    strange = 0
    for value, line in source.documents():
        for item in value if isinstance(value, list) else [value]:
            found = list(_unwrapped(item))
            strange += not found
            for raw in found:
                yield Document(raw, source, line, path)
    if strange:
        source.report(f"{strange} records are no trajectory and were passed over", code="TL120")


def _unwrapped(item: Any) -> Iterator[dict[str, Any]]:
    """The trajectory, or those that an object holds by name."""
    if not isinstance(item, dict):
        return
    if isinstance(item.get("steps"), list):
        yield item
        return
    held = {
        key: value
        for key, value in item.items()
        if isinstance(value, dict) and isinstance(value.get("steps"), list)
    }
    # What stands beside them is said of each.
    beside = {key: value for key, value in item.items() if key not in held}
    for value in held.values():
        yield {**beside, **value} if beside else value


def keys_of(document: Document) -> Iterator[str]:
    """Its path and those it refers to; its names and those it refers to.

    Unrelated runs may share the id of a session, so that only a sub-agent's answers to it.
    """
    yield document.path
    if name := word(document.raw.get("trajectory_id")):
        yield name
    if _is_helper(document) and (session := word(document.raw.get("session_id"))):
        yield session
    if continued := word(document.raw.get("continued_trajectory_ref")):
        yield _beside(document, continued)
    for reference in _references(document):
        if reference.path:
            yield _beside(document, reference.path)
        elif name := reference.id or reference.session:
            yield name


def _is_helper(document: Document) -> bool:
    """Whether a trajectory begins with somebody else's context, or names who started it."""
    extra = document.agent.get("extra")
    if isinstance(extra, dict) and extra.get("parent_session_id"):
        return True
    first = document.steps[0] if document.steps else None
    return isinstance(first, dict) and first.get("is_copied_context") is True


def _beside(document: Document, path: str) -> str:
    return str(Path(document.path).parent / path)


def link(documents: list[Document]) -> list[Document]:
    """Trajectories nobody refers to, with continuations and sub-agents attached."""
    for document in documents:
        _embed(document)
    by_path = {document.path: document for document in documents}
    by_name: dict[str, list[Document]] = {}
    for document in documents:
        for name in document.names:
            by_name.setdefault(name, []).append(document)
    owner: dict[Document, Document] = {}
    for document in documents:
        if continued := word(document.raw.get("continued_trajectory_ref")):
            found = by_path.get(_beside(document, continued))
            if found is not None and _take(found, document, owner):
                document.continuation = found
        for reference in _references(document):
            helper = _find(reference, document, by_path, by_name)
            if helper is not None and _take(helper, document, owner):
                document.helpers.append(helper)
    roots = [document for document in documents if document not in owner]
    for document in roots:
        _number(document)
    return roots


def _embed(document: Document) -> None:
    """Find the trajectories that stand inside a trajectory."""
    waiting = [document]
    while waiting:
        place = waiting.pop()
        inner = place.raw.get("subagent_trajectories")
        for raw in inner if isinstance(inner, list) else ():
            if isinstance(raw, dict):
                place.helpers.append(Document(raw, place.source, place.line, ""))
        waiting += place.helpers


def _number(root: Document) -> None:
    """Give positions to the steps of a trajectory and of all that is attached to it."""
    offset, waiting, seen = 0, [root], set()
    while waiting:
        place = waiting.pop(0)
        if place in seen:
            continue
        seen.add(place)
        place.offset = offset
        offset += len(place.steps)
        waiting += [place.continuation] if place.continuation else []
        waiting += place.helpers


def _take(found: Document, by: Document, owner: dict[Document, Document]) -> bool:
    """Attach a trajectory to the first that refers to it, unless that makes a circle."""
    place: Document | None = by
    while place is not None:
        if place is found:
            return False
        place = owner.get(place)
    return owner.setdefault(found, by) is by


def _find(
    reference: Reference,
    document: Document,
    by_path: dict[str, Document],
    by_name: dict[str, list[Document]],
) -> Document | None:
    if reference.path:
        found = by_path.get(_beside(document, reference.path))
        if found is not None:
            return found
    for name in (reference.id, reference.session):
        if name is None:
            continue
        if any(name in helper.names for helper in document.helpers):
            return None  # it is embedded
        others = [other for other in by_name.get(name, ()) if other is not document]
        if len(others) == 1 and name not in document.names:
            return others[0]
    return None


def results_of(step: Any) -> list[dict[str, Any]]:
    """Results of a step's observation."""
    observation = step.get("observation") if isinstance(step, dict) else None
    results = observation.get("results") if isinstance(observation, dict) else None
    return [r for r in results if isinstance(r, dict)] if isinstance(results, list) else []


def references_of(result: dict[str, Any]) -> Iterator[Reference]:
    """Sub-agents whose trajectories a result names."""
    refs = result.get("subagent_trajectory_ref")
    for ref in refs if isinstance(refs, list) else [refs]:
        if isinstance(ref, dict):
            yield Reference(
                word(ref.get("trajectory_id")),
                word(ref.get("trajectory_path")),
                word(ref.get("session_id")),
            )


def _references(document: Document) -> Iterable[Reference]:
    for step in document.steps:
        for result in results_of(step):
            yield from references_of(result)


def meant(reference: Reference, document: Document) -> Document | None:
    """The attached trajectory that a reference means."""
    for helper in document.helpers:
        if reference.path and helper.path == _beside(document, reference.path):
            return helper
        if reference.id and reference.id == helper.raw.get("trajectory_id"):
            return helper
    for helper in document.helpers:
        if reference.session and reference.session in helper.names:
            return helper
    return None


def without_own(extra: Any) -> dict[str, Any]:
    """An ``extra`` object without what traceloc put there: ground truth may be among it."""
    if not isinstance(extra, dict):
        return {}
    return {key: bounded(value) for key, value in extra.items() if key != OWN}


def facts_of(document: Document) -> dict[str, Any]:
    """What a trajectory says beside its steps."""
    known = ("steps", "schema_version", "subagent_trajectories", "agent", "session_id")
    facts = {key: value for key, value in document.raw.items() if key not in known}
    facts["extra"] = without_own(facts.get("extra"))
    facts["agent"] = {
        key: value
        for key, value in document.agent.items()
        if key not in ("name", "model_name", "tool_definitions")
    }
    return {key: bounded(value) for key, value in facts.items() if value}
