"""Which loader takes what: structure decides, and nobody ties."""

from __future__ import annotations

import json

import pytest

from traceloc.errors import UnknownFormatError
from traceloc.loading import Source
from traceloc.loading.sniffing import rank_loaders
from traceloc.registry import Registry


@pytest.mark.parametrize("padding", [0, 200_000])
def test_each_format_is_recognised(documents, padding):
    loaders = Registry().all("loaders")
    for name, document in documents.items():
        if padding:  # a document that goes on far behind what is looked at
            items = document if isinstance(document, list) else _longest(document)
            items[-1] = dict(items[-1]) | {"padding": "x" * padding}
        guesses = rank_loaders(Source("-", content=json.dumps(document).encode()).head(), loaders)
        assert guesses[0].loader.name == name
        assert guesses[0].score > guesses[1].score
        assert not any(guess.error for guess in guesses)


def _longest(document):
    lists = [value for value in document.values() if isinstance(value, list)]
    below = [_longest(value) for value in document.values() if isinstance(value, dict)]
    return max(lists or below, key=len, default=[])


@pytest.mark.parametrize(
    "text",
    [
        '{"file": "1.json", "trace": "1", "agent": "Clerk", "step": 2, "source": "human"}\n' * 2,
        '{"name": "package", "version": "1.0", "scripts": {}}',
        "[1, 2, 3]",
        '[{"a": 1}]',
        '{"messages": "none"}',
        '{"history": [1, 2], "question": "?"}',
    ],
)
def test_what_is_no_trace_is_nobodys(load_all, text):
    with pytest.raises(UnknownFormatError, match="no trace"):
        load_all(text)
