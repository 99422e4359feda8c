"""The model of each system: the finished one, moved by what the label store says of that system."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from traceloc.attribution import GivenAnswer
from traceloc.contracts import Signal
from traceloc.labels.events import Event, settle_events
from traceloc.labels.measurements import hash_signals
from traceloc.labels.recording import hash_content, name_system
from traceloc.ranking.adapt import adapt_model
from traceloc.ranking.model import RankingModel
from traceloc.ranking.table import describe, list_versions
from traceloc.trace import Diagnostic, Trace

if TYPE_CHECKING:
    from traceloc.labels.store import LabelStore


class Adapted(NamedTuple):
    """The model for a trace, and what its labels could not be used for."""

    model: RankingModel
    diagnostics: tuple[Diagnostic, ...] = ()
    learned_from: int = 0
    """Labels that moved the weights."""
    answers: Mapping[str, GivenAnswer] = MappingProxyType({})
    """What stands of each trace, by the hash of its content."""

    def answer_for(self, trace: Trace) -> GivenAnswer | None:
        """What people said of a trace; it is not even looked at where nothing was said."""
        return self.answers.get(hash_content(trace)) if self.answers else None


class Adapter:
    """Adapts a finished model to each system with labels, once; threads may share it.

    It knows the labels that there were when it was made, so that one scan sees one state of them.

    Args:
        model: The finished model.
        signals: Signals that traces are measured with.
        store: Where labels come from; ``None`` for none.

    Raises:
        StoreError: If there is a store that cannot be read.
    """

    def __init__(
        self, model: RankingModel, signals: Sequence[Signal], store: LabelStore | None
    ) -> None:
        self.model = model
        self._store = store
        self._features = describe(signals)
        self._signals = tuple(signals)
        self._versions = store.versions() if store is not None else {}
        self._plain = Adapted(model)
        self._lock = threading.Lock()
        self._adapted: dict[str, Adapted] = {}

    def of(self, trace: Trace) -> Adapted:
        """The model for a trace of its system.

        Raises:
            StoreError: If the store cannot be read any more.
        """
        system = name_system(trace)
        if self._store is None or system not in self._versions:
            return self._plain
        with self._lock:
            if system not in self._adapted:
                self._adapted[system] = self._adapt(self._store, system)
            return self._adapted[system]

    def _adapt(self, store: LabelStore, system: str) -> Adapted:
        names = [feature.name for feature in self._features]
        answers = store.answers(
            system,
            signals_hash=hash_signals(names, list_versions(self._signals)),
            upto=self._versions[system],
        )
        found = adapt_model(self.model, answers.usable, self._features, system=system)
        notes = []
        if answers.stale:
            message = (
                f"labelled traces of {system!r} were measured with other signals and are not "
                "learned from; label them again"
            )
            notes.append(Diagnostic(kind="skipped", message=message, count=answers.stale))
        if answers.outside:
            message = f"labels of {system!r} name a step that cannot be blamed"
            notes.append(Diagnostic(kind="note", message=message, count=answers.outside))
        learned_from = found.answers if found.moved > 0 else 0
        standing = settle_events(
            [e for e in store.events(system=system) if e.id <= self._versions[system]]
        )
        return Adapted(found.model, tuple(notes), learned_from, gather_answers(standing))


def gather_answers(standing: Iterable[Event]) -> dict[str, GivenAnswer]:
    """What stands of each trace, by the hash of its content."""
    found: dict[str, GivenAnswer] = {}
    for event in standing:
        known = found.get(event.content_hash, GivenAnswer())
        if event.action == "reject":
            said: dict[str, object] = {"rejected": tuple(sorted({*known.rejected, event.step}))}
        else:
            said = {
                "step": event.step,
                "agent": event.agent,
                "category": event.category,
                "said": event.action,
                "who": event.who,
            }
        found[event.content_hash] = known.model_copy(update=said)
    return found
