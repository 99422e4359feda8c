"""Which loader reads a file: each answers with a confidence, the surest one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from traceloc.contracts import Loader
from traceloc.errors import Location, UnknownFormatError
from traceloc.loading.head import Head
from traceloc.loading.source import Source

MIN_SCORE = 0.1
"""Below this nobody recognises the file, and it is no trace."""


class Guess(NamedTuple):
    """One loader's answer."""

    loader: Loader
    score: float
    error: str | None = None


def rank_loaders(head: Head, loaders: Iterable[Loader]) -> list[Guess]:
    """Answers of all loaders, surest first; a sniff that raises scores 0 and says why."""
    guesses = []
    for loader in loaders:
        try:
            guesses.append(Guess(loader, float(loader.sniff(head))))
        except Exception as error:  # the plugin boundary: a stranger's sniff may do anything
            guesses.append(Guess(loader, 0.0, f"{type(error).__name__}: {error}"))
    return sorted(guesses, key=lambda guess: (-guess.score, guess.loader.name))


def pick_loader(
    source: Source,
    loaders: Iterable[Loader],
    *,
    on_failure: Callable[[str, str], None] | None = None,
) -> Loader:
    """The loader for a source.

    Args:
        source: The file.
        loaders: Those to ask.
        on_failure: Told the name of a loader whose sniff raised, and what.

    Raises:
        UnknownFormatError: ``TL110`` if nobody recognises it, ``TL111`` if several do equally.
    """
    head = source.head()
    guesses = rank_loaders(head, loaders)
    for guess in guesses:
        if guess.error and on_failure is not None:
            on_failure(guess.loader.name, f"sniffing {source.path}: {guess.error}")
    best = guesses[0] if guesses else None
    if best is None or best.score < MIN_SCORE:
        failed = [f"{guess.loader.name} ({guess.error})" for guess in guesses if guess.error]
        raise UnknownFormatError(
            "is no trace in a known format"
            + (f"; sniffing failed in {', '.join(failed)}" if failed else ""),
            code="TL110",
            hint="name it with --from, or see 'traceloc plugins list'",
            location=Location(source.path),
        )
    tied = [guess.loader.name for guess in guesses if guess.score == best.score]
    if len(tied) > 1:
        raise UnknownFormatError(
            f"fits several formats equally well: {', '.join(tied)}",
            code="TL111",
            hint=f"choose one with --from, such as --from {tied[0]}",
            location=Location(source.path),
        )
    return best.loader
