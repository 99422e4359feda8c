"""How labelled traces are split into what is learned from and what is asked.

Traces of one group never stand on two sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from typing import Protocol as Protocol_

import numpy as np

from traceloc.evaluation.preparing import Prepared
from traceloc.quoting import say_count

Protocol = Literal["kfold", "loso", "fewshot", "arrival", "shipped"]
PROTOCOLS: tuple[Protocol, ...] = ("kfold", "loso", "fewshot", "arrival", "shipped")
NEED_OTHERS: tuple[Protocol, ...] = ("loso", "fewshot", "arrival")
"""Protocols whose model, or its prior, is learned from other systems."""
FEW_SHOT_LABELS = (0, 5, 10, 20, 50)
ARRIVAL_ORDERS = 20
"""Seeded orders that stand in for the one in which traces came, where that is not known."""
ARRIVAL_GROWTH = 1.1
"""By how much what was learned from must grow before it is learned anew; up to ten, each time."""


class Split(NamedTuple):
    """Positions of the traces to learn from and to be asked about."""

    seed: int
    train: tuple[int, ...]
    test: tuple[int, ...]
    prior: tuple[int, ...] | None = None
    """Traces of other systems that the prior model is fitted on; ``None`` for no prior."""
    tag: str = ""
    """Variant within the protocol, such as the number of labels."""


def k_fold(
    items: Sequence[Prepared], *, folds: int, seed: int, with_prior: bool = False
) -> Iterator[Split]:
    """Within each set: every fold is asked of a model that learned from the set's other folds.

    Args:
        items: All traces.
        folds: How many.
        seed: Of the shuffle of groups.
        with_prior: Take a model of the other systems as the prior.
    """
    for dataset in _names(item.dataset for item in items):
        members = [i for i, item in enumerate(items) if item.dataset == dataset]
        prior = other_systems(items, members) if with_prior else None
        for test in group_folds(items, members, folds=folds, seed=seed):
            outside = {items[i].group for i in test}
            train = tuple(i for i in members if items[i].group not in outside)
            yield Split(seed, train, test, prior)


def leave_one_system_out(items: Sequence[Prepared]) -> Iterator[Split]:
    """Every system is asked of a model that never saw it, nor a group it shares with others."""
    for system in _names(item.system for item in items):
        test = tuple(i for i, item in enumerate(items) if item.system == system)
        yield Split(0, other_systems(items, test), test)


def few_shot(
    items: Sequence[Prepared], *, folds: int, seed: int, labels: Sequence[int] = FEW_SHOT_LABELS
) -> Iterator[Split]:
    """As ``k_fold`` with a prior, but learning from only so many labels drawn from the other folds.

    Every number of labels is asked the same traces, and a smaller draw is part of a larger one.
    A number that a set cannot give from every fold is left out.
    """
    for split in k_fold(items, folds=folds, seed=seed, with_prior=True):
        usable = [i for i in split.train if items[i].labelled]
        order = np.random.default_rng([seed, split.test[0]]).permutation(len(usable))
        for count in labels:
            if count <= len(usable):
                chosen = tuple(sorted(usable[int(j)] for j in order[:count]))
                yield split._replace(train=chosen, tag=say_count(count, "label"))


def arrival(items: Sequence[Prepared], *, seed: int) -> Iterator[Split]:
    """Within each set, traces come one by one; each is asked before its label is learned.

    The model of the other systems is the prior. Traces of its group that came earlier are not
    learned from, as everywhere. Where every trace of a set says when it began, that is the order,
    whatever the seed; else it is a seeded one. The tag says how many labels there were at least.

    Args:
        items: All traces.
        seed: Of the order.
    """
    for dataset in _names(item.dataset for item in items):
        members = [i for i, item in enumerate(items) if item.dataset == dataset and item.labelled]
        begun = [items[i].begun for i in members]
        if all(each is not None for each in begun):
            order = sorted(range(len(members)), key=lambda k: (begun[k], k))
        else:
            order = np.random.default_rng(seed).permutation(len(members)).tolist()
        prior = other_systems(items, members)
        known: tuple[int, ...] = ()
        for came, place in enumerate(order):
            if came <= 10 or came >= ARRIVAL_GROWTH * len(known):
                known = tuple(sorted(members[k] for k in order[:came]))
            one = members[place]
            train = tuple(i for i in known if items[i].group != items[one].group)
            at_least = max(count for count in FEW_SHOT_LABELS if count <= came)
            yield Split(seed, train, (one,), prior, f"from {say_count(at_least, 'label')} on")


def in_sample(items: Sequence[Prepared]) -> Iterator[Split]:
    """A finished model asked about everything, whether it saw it or not."""
    yield Split(0, (), tuple(range(len(items))), tag="as shipped")


def other_systems(items: Sequence[Prepared], test: Sequence[int]) -> tuple[int, ...]:
    """Traces of systems that do not occur in ``test`` and share no group with it."""
    systems = {items[i].system for i in test}
    groups = {items[i].group for i in test}
    return tuple(
        i for i, item in enumerate(items) if item.system not in systems and item.group not in groups
    )


class Grouped(Protocol_):
    """Whatever belongs to a group."""

    @property
    def group(self) -> str:
        """The question."""
        ...


def group_folds(
    items: Sequence[Grouped], members: Sequence[int], *, folds: int, seed: int
) -> list[tuple[int, ...]]:
    """Deal whole groups, in seeded order and large ones first, to the smallest fold so far."""
    size: dict[str, int] = {}
    for i in members:
        size[items[i].group] = size.get(items[i].group, 0) + 1
    names = sorted(size)
    order = np.random.default_rng(seed).permutation(len(names))
    shuffled = sorted((names[int(j)] for j in order), key=lambda name: -size[name])
    load = [0] * min(folds, len(names))
    fold_of = {}
    for name in shuffled:
        fold_of[name] = load.index(min(load))
        load[fold_of[name]] += size[name]
    dealt = [
        tuple(i for i in members if fold_of[items[i].group] == fold) for fold in range(len(load))
    ]
    return [fold for fold in dealt if len(dealt) > 1 and fold]


def _names(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(values))
