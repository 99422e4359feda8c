"""Memories with one flaw each, by the check that must find it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from flaws import WORDS, Flaws
from sound_plugins import Shelf

FLAWS = Flaws()


class Faulty(Shelf):
    """Opens the sound store and spoils one method of it."""

    def open(self, address: str) -> Any:
        store = super().open(address)
        self.spoil(store)
        return store

    def spoil(self, store: Any) -> None:
        raise NotImplementedError


@FLAWS.of("interface")
class NoHandles(Shelf):
    handles = None  # type: ignore[assignment]


@FLAWS.of("knows_its_addresses")
class Everybody(Shelf):
    def handles(self, address: str) -> bool:
        return True


@FLAWS.of("opening_writes_nothing")
class Eager(Shelf):
    def open(self, address: str) -> Any:
        Path(address).touch()
        return super().open(address)


@FLAWS.of("gives_back_what_was_put")
class Reordering(Faulty):
    def spoil(self, store: Any) -> None:
        get = store.get
        store.get = lambda ids: get(ids)[::-1]


@FLAWS.of("neighbours_are_in_order")
class Untied(Faulty):
    def spoil(self, store: Any) -> None:
        nearest = store.nearest
        store.nearest = lambda queries, **more: [each[::-1] for each in nearest(queries, **more)]


@FLAWS.of("changes_are_whole")
class Halving(Faulty):
    def spoil(self, store: Any) -> None:
        apply = store.apply

        def halve(kind: str, **more: Any) -> Any:
            if more.get("remove"):
                apply("evict", remove=more["remove"])
            return apply(kind, **more)

        store.apply = halve


@FLAWS.of("changes_can_be_undone")
class Irrevocable(Faulty):
    def spoil(self, store: Any) -> None:
        store.undo = lambda change=None, *, who="": store.log()[-1]


@FLAWS.of("another_embedder_is_noticed")
class Stampless(Faulty):
    def spoil(self, store: Any) -> None:
        store.restamp = lambda *arguments, **more: None


@FLAWS.of("others_see_it")
class Deaf(Faulty):
    def spoil(self, store: Any) -> None:
        count, seen = store.count, {}
        store.count = lambda shelf, **more: seen.setdefault(shelf, count(shelf, **more))
        apply = store.apply

        def learn(kind: str, **more: Any) -> Any:
            change = apply(kind, **more)
            store.count("schema")
            return change

        store.apply = learn


@FLAWS.of("same_again")
class Forgetting(Faulty):
    opened = 0

    def spoil(self, store: Any) -> None:
        type(self).opened += 1
        stamp, number = store.stamp, self.opened
        store.stamp = lambda: f"{stamp()}{number}"


@FLAWS.of("leaves_the_process_alone")
class Dicing(Faulty):
    def spoil(self, store: Any) -> None:
        random.random()


@FLAWS.of("same_in_another_process")
class Mixed(Faulty):
    def spoil(self, store: Any) -> None:
        store.stamp = lambda: " ".join(WORDS)
