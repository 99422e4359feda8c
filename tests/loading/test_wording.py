from __future__ import annotations

import pytest

from traceloc.loading import infer_error, text_of


@pytest.mark.parametrize("content", ["", "Twelve lamps.", [{"text": "Twelve lamps."}]])
@pytest.mark.parametrize("error", ["stock is closed", {"text": "stock is closed"}])
def test_an_error_beside_the_words_is_told(content, error):
    text = text_of([{"type": "text", "content": content, "error": error}])
    assert text.startswith("error: stock is closed")
    assert text.endswith("Twelve lamps.") is bool(content)
    assert infer_error(text).message == "error: stock is closed"


@pytest.mark.parametrize("error", [None, "", {}, [], False, 0, True, "Twelve"])
def test_no_error_or_one_that_the_words_tell(error):
    assert text_of({"text": "Twelve lamps.", "error": error}) == "Twelve lamps."
