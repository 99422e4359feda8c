"""The schemata that come with traceloc: general, written for it, over three taxonomies.

They have no words of any system. A step is recognised by their signals, and their questions are for
judges and readers.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

from traceloc.memory.schema import ErrorSchema

FILES = ("agentrx.json", "critictool.json", "mast.json")


def read_seed(name: str) -> str:
    """One file of the library, as it is shipped."""
    return resources.files("traceloc.memory.seed").joinpath(name).read_text("utf-8")


@cache
def load_seed() -> tuple[ErrorSchema, ...]:
    """Every shipped schema, by file and place in it."""
    return tuple(
        ErrorSchema.model_validate(value)
        for name in FILES
        for value in json.loads(read_seed(name))["schemata"]
    )
