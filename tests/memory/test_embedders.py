from __future__ import annotations

import stat
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.memory.conftest import make_row
from traceloc.errors import PluginError, StoreError
from traceloc.memory import embedding
from traceloc.memory.embedders.cache import EmbeddingCache
from traceloc.memory.embedders.hashed import DIMENSION, HashedEmbedder
from traceloc.memory.embedders.sentence import SentenceEmbedder
from traceloc.memory.embedding import embed_anew, find_embedder, open_embedder, reweigh_if_grown
from traceloc.memory.sqlite_store import SqliteStore

TEXTS = [
    "Error: file <path> not found, assuming its contents are <num>",
    "Error: file <path> was not found. I assume its content to be <num>",
    "Booking flight <id> for <num> passengers",
    "Traceback (most recent call last): KeyError <quote>",
]


def test_alike_texts_are_near_and_others_are_not():
    vectors = HashedEmbedder().embed(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((4, DIMENSION), np.float32)
    cosines = vectors @ vectors.T
    np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-5)
    assert cosines[0, 1] > 0.5
    assert cosines[0, 1] > 2 * max(cosines[0, 2], cosines[0, 3], cosines[2, 3])


@given(st.lists(st.text(max_size=80), min_size=1, max_size=80), st.randoms())
@settings(deadline=None, max_examples=60)
def test_a_row_depends_on_its_text_alone(texts, random):
    embedder = HashedEmbedder()
    vectors = embedder.embed(texts)
    assert np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors, axis=1)
    assert ((np.abs(lengths - 1) < 1e-5) | (lengths == 0)).all()
    place = random.randrange(len(texts))
    np.testing.assert_array_equal(embedder.embed([texts[place]])[0], vectors[place])
    np.testing.assert_array_equal(HashedEmbedder().embed(texts[::-1])[::-1], vectors)


@pytest.mark.parametrize("text", ["", "   \n", "!?", "--- ***"])
def test_a_text_without_words_is_like_nothing(text):
    assert not HashedEmbedder().embed([text]).any()
    assert HashedEmbedder().embed([]).shape == (0, DIMENSION)


def test_marks_and_capitals_do_not_matter_but_order_does():
    embedder = HashedEmbedder()
    plain, dressed, turned = embedder.embed(["no such file", "No such: FILE!", "file such no"])
    np.testing.assert_array_equal(plain, dressed)
    assert 0.5 < plain @ turned < 0.95


def test_cosines_are_those_of_the_bags_on_average():
    """What the projection to few dimensions adds is noise around the truth."""
    words = [f"w{n}" for n in range(400)]
    source = np.random.default_rng(0)
    errors = []
    for share in (0.0, 0.3, 0.6):
        for _ in range(40):
            chosen = source.permutation(words)
            common, rest = chosen[: int(60 * share)], chosen[60:]
            size = 60 - len(common)
            mine, theirs = rest[:size], rest[size : 2 * size]
            a, b = HashedEmbedder().embed(["\n".join([*common, *each]) for each in (mine, theirs)])
            errors.append((share, float(a @ b)))
    means = {s: np.mean([value for share, value in errors if share == s]) for s in (0.0, 0.3, 0.6)}
    assert means[0.0] < means[0.3] < means[0.6]
    assert means[0.0] < 0.25


def test_more_dimensions_are_truer():
    source = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in source.integers(0, 300, 40)) for _ in range(60)]
    truth = HashedEmbedder(dimension=4096).embed(texts)
    noise = []
    for dimension in (64, 384, 1024):
        vectors = HashedEmbedder(dimension=dimension).embed(texts)
        noise.append(float(np.std(vectors @ vectors.T - truth @ truth.T)))
    assert noise[0] > 2 * noise[1] > 2.5 * noise[2]


def test_rare_words_weigh_more_once_the_memory_was_weighed():
    common = [f"please check the result of task{n} again" for n in range(200)]
    embedder = HashedEmbedder()
    weighed = embedder.with_state(embedder.weigh(common))
    pair = ["please check the result of alpha again", "please check the result of omega again"]
    before, after = (float(a @ b) for a, b in (embedder.embed(pair), weighed.embed(pair)))
    assert after < before - 0.1, "what all share says little"
    same = weighed.embed([pair[0], "alpha"])
    plain = embedder.embed([pair[0], "alpha"])
    assert float(same[0] @ same[1]) > float(plain[0] @ plain[1])


def test_weights_are_the_same_each_time_and_change_the_fingerprint():
    embedder = HashedEmbedder()
    state = embedder.weigh(TEXTS)
    assert state == HashedEmbedder().weigh(iter(TEXTS))
    names = {
        embedder.fingerprint(),
        embedder.with_state(state).fingerprint(),
        embedder.with_state(embedder.weigh(TEXTS[:3])).fingerprint(),
    }
    assert len(names) == 3
    assert embedder.fingerprint() == HashedEmbedder().fingerprint()


@pytest.mark.parametrize(
    "state", [b"junk", b"traceloc-hashed-1\njunk", HashedEmbedder().weigh(TEXTS)[:-20]]
)
def test_weights_that_are_none(state):
    with pytest.raises(ValueError, match="no weights"):
        HashedEmbedder(state)


def fill(store, embedder, count, *, begin=0):
    rows = [make_row(f"r{n:04}", text=f"word{n} of many") for n in range(begin, begin + count)]
    vectors = embedder.embed([row.text for row in rows])
    store.apply("learn", put=rows, vectors=vectors, stamp=embedder.fingerprint())


def test_words_are_weighed_when_the_memory_has_doubled(tmp_path):
    store = SqliteStore(tmp_path / "memory.db")
    embedder = open_embedder(store)
    assert embedder.fingerprint() == HashedEmbedder().fingerprint()
    fill(store, embedder, embedding.FIRST_WEIGHING - 1)
    assert reweigh_if_grown(store, embedder) is embedder
    fill(store, embedder, 1, begin=40)
    told = []
    weighed = reweigh_if_grown(store, embedder, on_progress=lambda *n: told.append(n))
    assert told[-1] == (32, 32)
    assert store.stamp() == weighed.fingerprint() != embedder.fingerprint()
    with pytest.raises(StoreError) as caught:
        fill(store, embedder, 1, begin=50)
    assert caught.value.code == "TL525"
    fill(store, weighed, 31, begin=50)
    assert reweigh_if_grown(store, weighed) is weighed
    fill(store, weighed, 1, begin=90)
    twice = reweigh_if_grown(store, weighed)
    assert twice.fingerprint() == store.stamp() != weighed.fingerprint()
    again = open_embedder(SqliteStore(store.path), change=False)
    assert again.fingerprint() == twice.fingerprint()
    (found,) = store.nearest(again.embed(["word7 of many"]), k=1)
    assert (found[0].id, found[0].similarity) == ("r0007", 1.0)
    assert store.check() == []


class Letters:
    """Another embedder: counts of letters."""

    name = "letters"
    api_version = 1

    def fingerprint(self):
        return "letters/1"

    def embed(self, texts):
        rows = np.array([[text.count(c) + 0.01 for c in "abcdefgh"] for text in texts], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Plugins:
    """A registry with that one beside the default."""

    def names(self, kind):
        return ("hashed", "letters")

    def get(self, kind, name):
        return {"hashed": HashedEmbedder, "letters": Letters}[name]()


def test_a_changed_embedder_embeds_all_anew_or_nothing(tmp_path):
    store = SqliteStore(tmp_path / "memory.db")
    fill(store, open_embedder(store), 40)
    reweigh_if_grown(store, open_embedder(store))
    with pytest.raises(StoreError) as caught:
        open_embedder(store, "letters", change=False, registry=Plugins())
    assert caught.value.code == "TL525"
    letters = open_embedder(store, "letters", registry=Plugins())
    assert (store.stamp(), store.state()) == ("letters/1", b"")
    assert store.vectors(["r0001"]).shape == (1, 8)
    assert reweigh_if_grown(store, letters) is letters
    back = open_embedder(store, "hashed", registry=Plugins())
    assert store.stamp() == back.fingerprint() != HashedEmbedder().fingerprint()
    assert embed_anew(store, HashedEmbedder()).fingerprint() == store.stamp()
    assert store.check() == []


def test_embedders_are_found_by_name():
    assert isinstance(find_embedder(), HashedEmbedder)
    chosen = find_embedder("sentence-transformers:models/mine")
    assert isinstance(chosen, SentenceEmbedder)
    assert chosen.model == "models/mine"
    assert find_embedder("hashed:64").embed(["a word"]).shape == (1, 64)
    for wrong in ("large", "9999999", "", "\u0661\u0662"):
        with pytest.raises(PluginError, match="takes a dimension from 16 to 4096"):
            find_embedder(f"hashed:{wrong}")
    with pytest.raises(PluginError, match="runs no model"):
        find_embedder("letters:large", registry=Plugins())
    with pytest.raises(PluginError, match="no embedder called 'hash'") as caught:
        find_embedder("hash")
    assert "hashed" in caught.value.hint


def test_without_its_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    (tmp_path / "config.json").write_text("{}")
    embedder = SentenceEmbedder(str(tmp_path))
    assert "files=" in embedder.fingerprint(), "that needs no model"
    with pytest.raises(StoreError, match="a package that is missing") as caught:
        embedder.embed(["text"])
    assert caught.value.code == "TL532"
    assert "traceloc[embeddings]" in caught.value.hint


def vectors(*texts):
    return {text: np.full(4, len(text), np.float16) for text in texts}


def test_a_cache_gives_back_what_it_was_given(tmp_path):
    cache = EmbeddingCache(tmp_path / "home" / "c.db")
    assert cache.get("m", ["a"]) == {}
    assert not (tmp_path / "home").exists()
    cache.put("m", vectors("a", "bb"))
    found = EmbeddingCache(tmp_path / "home" / "c.db").get("m", ["bb", "ccc"])
    assert list(found) == ["bb"]
    np.testing.assert_array_equal(found["bb"], [2, 2, 2, 2])
    assert cache.get("other", ["a"]) == {}
    path = tmp_path / "home" / "c.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"bb" not in path.read_bytes().replace(b"abb", b""), "no text is kept"


def test_a_cache_is_bounded_and_the_oldest_go(tmp_path):
    cache = EmbeddingCache(tmp_path / "c.db", limit=20)
    for number in range(60):
        cache.put("m", vectors(f"t{number}"))
    kept = cache.get("m", [f"t{number}" for number in range(60)])
    assert 15 <= len(kept) <= 20
    assert "t59" in kept and "t0" not in kept


@pytest.mark.parametrize("content", [b"", b"not a database at all " * 9, None])
def test_a_cache_that_cannot_be_used_is_no_cache(tmp_path, content):
    path = tmp_path / "c.db"
    path.mkdir() if content is None else path.write_bytes(content)
    cache = EmbeddingCache(path)
    cache.put("m", vectors("a"))
    assert cache.get("m", ["a"]) == {}
