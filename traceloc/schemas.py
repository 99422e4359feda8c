"""JSON Schemas of the public documents, generated from their models."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traceloc.errors import UsageError, suggest

DOCUMENTS = {
    "attribution": "traceloc.attribution:Attribution",
    "error_schema": "traceloc.memory.schema:ErrorSchema",
    "model": "traceloc.ranking.model:RankingModel",
    "repeats": "traceloc.repeats.statistics:RepeatsDocument",
    "report": "traceloc.report:ReportDocument",
    "trace": "traceloc.trace:Trace",
}
"""Public documents and their models."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def make_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document.

    Raises:
        UsageError: ``TL222`` if there is no such document.
    """
    if name not in DOCUMENTS:
        raise UsageError(
            f"there is no document {name!r}",
            code="TL222",
            hint=suggest(name, DOCUMENTS, listed=f"documents: {', '.join(DOCUMENTS)}"),
        )
    module, _, attribute = DOCUMENTS[name].partition(":")
    model = getattr(importlib.import_module(module), attribute)
    # What stands in a file, not what the constructor takes: defaults are always written.
    return {"$schema": DIALECT, **model.model_json_schema(mode="validation")}


def render_schema(name: str) -> str:
    """The schema as it stands in ``schemas/``."""
    return json.dumps(make_schema(name), indent=2, sort_keys=False, ensure_ascii=False) + "\n"


def write_schemas(directory: str) -> Iterator[Path]:
    """Write every schema as ``NAME.schema.json``, and the seed library; yield where."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name in DOCUMENTS:
        path = folder / f"{name}.schema.json"
        path.write_text(render_schema(name), encoding="utf-8")
        yield path
    from traceloc.memory.seed import FILES, read_seed

    (folder / "seed").mkdir(exist_ok=True)
    for name in FILES:
        path = folder / "seed" / name
        path.write_text(read_seed(name), encoding="utf-8")
        yield path
