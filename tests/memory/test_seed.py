"""The shipped library: general, valid, and complete over its taxonomies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from traceloc.categories import CATEGORIES
from traceloc.memory.masking import mask_text
from traceloc.memory.schema import ErrorSchema
from traceloc.memory.seed import FILES, load_seed, read_seed
from traceloc.registry import Registry

CRITICTOOL = {
    "Tool Selection",
    "Tool Hallucination",
    "Parameter Key",
    "Parameter Value",
    "Environment Error",
}
ROOT = Path(__file__).parents[2]


def test_there_are_enough_and_their_ids_are_unique() -> None:
    seed = load_seed()
    assert len(seed) >= 40
    assert len({schema.id for schema in seed}) == len(seed)
    assert len({schema.title for schema in seed}) == len(seed)


def test_every_category_is_covered() -> None:
    seed = load_seed()
    assert {c.name for c in CATEGORIES if c.taxonomy == "mast"} == {s.mast for s in seed if s.mast}
    agentrx = {s.agentrx for s in seed if s.agentrx}
    assert {c.name for c in CATEGORIES if c.taxonomy == "agentrx"} == agentrx
    assert {s.category for s in seed if s.category} == CRITICTOOL


@pytest.mark.parametrize("schema", load_seed(), ids=lambda schema: schema.id)
def test_each_can_be_detected_and_is_general(schema: ErrorSchema) -> None:
    assert schema.origin == "shipped" and schema.system is None
    assert schema.heuristics and all(q.endswith("?") for q in schema.heuristics)
    assert schema.fix
    assert mask_text(schema.signature.text) == schema.signature.text
    assert not schema.sightings and schema.counts.seen == 0
    known = {f"{s.name}.{f.name}" for s in Registry().all("signals") for f in s.features}
    assert set(schema.signature.signals) <= known


@pytest.mark.parametrize("name", FILES)
def test_what_lies_in_schemas_is_what_is_shipped(name: str) -> None:
    folder = ROOT / "schemas" / "seed"
    if not folder.is_dir():
        pytest.skip("the source tree is not at hand")
    assert (folder / name).read_text(encoding="utf-8") == read_seed(name)
    assert json.loads(read_seed(name))["schema_version"] == 1
