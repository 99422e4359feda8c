"""A search that is left out, because a part of all its matches is missing, would find nothing."""

from __future__ import annotations

import random
import re
import sys

import pytest

from traceloc.loading import infer_error, tool_errors

FOLDED = ("code", "user", *tool_errors._STATUS_FIELD_PARTS, *tool_errors._HTTP_PARTS)
FOUND = (
    "the exit code: 3",
    "EXITED WITH CODE 1",
    "well, returncode=2",
    "so: <ReturnCode> -9",
    "[Request interrupted by user",
    "now the u\N{LATIN SMALL LETTER LONG S}er denied this one",
    '{"Status": "FAILED"}',
    '{"status": "fa\N{LATIN SMALL LETTER DOTLESS I}lure"}',
    "{'ok': False}",
    '{"n": 1, "iserror": true}',
    "{'error': {a: 1}}",
    "got HTTP/1.1 404",
    "Re\N{LATIN SMALL LETTER LONG S}pon\N{LATIN SMALL LETTER LONG S}e code 500",
    "said 400 bad request",
    "said 401 Unauthor\N{LATIN SMALL LETTER DOTLESS I}zed",
    "said 403 Forb\N{LATIN SMALL LETTER DOTLESS I}dden",
    "said 404 NOT FOUND",
    "said 405 Method Not Allowed",
    "said 400 Client Error",
    "said 429 Too Many Requests",
    "said 500 Internal Server Error",
    "said 502 Bad Gateway",
    "said 503 Service Unavailable",
    "a\nTraceback (most recent call last)\nb",
    "a\n  panic: b",
    'Exception in thread "main" a',
)


@pytest.mark.parametrize("text", FOUND)
def test_every_kind_of_mark_is_still_found(text):
    error = infer_error(text)
    assert error is not None and not error.declared


def test_what_a_search_takes_for_a_letter_of_a_part_folds_to_it():
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    for letter in sorted(set("".join(FOLDED))):
        same = re.compile(re.escape(letter), re.IGNORECASE).match
        assert {c.casefold() for c in characters if same(c)} == {letter}


def test_texts_of_any_pieces_show_what_they_showed_without_the_parts(monkeypatch):
    pieces = [
        *FOUND,
        " ",
        "\n",
        ": ",
        "x" * 700,
        "y" * 5000,
        "404",
        "<returncode>0",
        "\u00e9",
        "ok",
    ]
    draw = random.Random(1)
    texts = ["".join(draw.choices(pieces, k=draw.randint(1, 5))) for _ in range(2000)]
    found = [infer_error(text) for text in texts]

    class Everything(str):
        """A folded text that has every part."""

        def __contains__(self, part: object) -> bool:
            return True

    class Text(str):
        def casefold(self) -> str:
            return Everything()

        def __getitem__(self, place: object) -> Text:
            return Text(super().__getitem__(place))

    monkeypatch.setattr(tool_errors, "_has", lambda text, parts: True)
    assert [infer_error(Text(text)) for text in texts if len(text) <= 8000] == [
        error for text, error in zip(texts, found, strict=True) if len(text) <= 8000
    ]
    assert sum(error is None for error in found) > 10
