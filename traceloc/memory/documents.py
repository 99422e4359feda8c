"""Schemata as files: written for people and other teams, read as what strangers may send.

JSON by default; YAML with the extra of that name. Nothing in a file is executed, and it is bounded
in size before it is parsed.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from traceloc.errors import Location, StoreError
from traceloc.memory.masking import mask_prose, mask_text
from traceloc.memory.schema import ErrorSchema
from traceloc.trace import Document

Format = Literal["json", "jsonl", "yaml"]
_YAML = (".yaml", ".yml")
FORMATS: tuple[Format, ...] = ("json", "jsonl", "yaml")

MAX_BYTES = 64 * 1024 * 1024
MAX_YAML_BYTES = 16 * 1024 * 1024
"""YAML is read a hundred times slower."""
MAX_SCHEMATA = 200_000
_MAX_DEPTH = 32
_ID = re.compile(r"S[0-9a-z-]{2,40}")
_PROSE = 2000
"""Characters of each field that a person wrote."""
_SHOWN = 120


class SchemaFile(Document):
    """Several schemata in one document."""

    schema_version: Literal[1] = 1
    schemata: tuple[ErrorSchema, ...] = Field(max_length=MAX_SCHEMATA)


def write_schemata(schemata: Iterable[ErrorSchema], format: Format = "json") -> Iterator[str]:
    """The schemata as text, piece by piece.

    Raises:
        StoreError: TL543 for YAML, where no package can write it.
    """
    if format == "jsonl":
        for schema in schemata:
            yield schema.model_dump_json(exclude_defaults=True) + "\n"
        return
    listed = [schema.model_dump(mode="json", exclude_defaults=True) for schema in schemata]
    content = {"schema_version": 1, "schemata": listed}
    if format == "yaml":
        yield _yaml().safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
        return
    yield json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read_schemata(path: str | Path) -> list[ErrorSchema]:
    """Read and check schemata.

    What should be masked is masked again, which changes nothing in what traceloc wrote.

    Raises:
        StoreError: TL542 if the file cannot be read or is too large, TL544 if something in it is
            no schema, TL543 for YAML, where no package can read it.
    """
    place = Path(path)
    where = Location(str(path))
    try:
        with place.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise StoreError(message, code="TL542", location=where) from error
    yaml = place.suffix.lower() in _YAML
    limit = min(MAX_BYTES, MAX_YAML_BYTES) if yaml else MAX_BYTES
    if len(data) > limit:
        raise StoreError(
            f"is larger than {limit / 2**20:.0f} MiB",
            code="TL542",
            location=where,
            hint="export it as JSON" if yaml else None,
        )
    found = []
    for line, value in _parse(data, place.suffix.lower(), where):
        try:
            found.append(_checked(ErrorSchema.model_validate(value)))
        except (ValidationError, ValueError) as error:
            raise StoreError(
                f"is no error schema: {_first_problem(error)}",
                code="TL544",
                location=Location(str(path), line=line),
                hint="'traceloc schema error_schema' says what one is",
            ) from error
        if len(found) > MAX_SCHEMATA:
            message = f"holds more than {MAX_SCHEMATA:,} schemata"
            raise StoreError(message, code="TL542", location=where)
    return found


def _parse(data: bytes, suffix: str, where: Location) -> Iterator[tuple[int | None, Any]]:
    """Values that should be schemata, with their lines where there are any."""
    try:
        text = data.decode("utf-8")
        if suffix in _YAML:
            content = _safe_load(text, where)
        elif suffix == ".jsonl":
            for number, line in enumerate(text.splitlines(), start=1):
                if line.strip():
                    yield number, _loads(line, Location(where.path, line=number))
            return
        else:
            content = _loads(text, where)
    except (UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"cannot be read: {error}", code="TL544", location=where) from error
    listed = content.get("schemata") if isinstance(content, dict) else content
    if isinstance(content, dict) and "signature" in content:
        listed = [content]
    if not isinstance(listed, list):
        raise StoreError(
            "holds no schemata; expected a list, or an object with 'schemata'",
            code="TL544",
            location=where,
        )
    for value in listed:
        yield None, value


def _loads(text: str, where: Location) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"is no JSON: {error}", code="TL544", location=where) from error


def _safe_load(text: str, where: Location) -> Any:
    yaml = _yaml()
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        # First what stands there, without building anything from it.
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                # They can blow a small file up beyond all bounds; traceloc writes none.
                raise StoreError(
                    "has YAML aliases, which are not read", code="TL544", location=where
                )
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                message = f"is nested more than {_MAX_DEPTH} deep"
                raise StoreError(message, code="TL544", location=where)
        return yaml.load(text, Loader=loader)
    except StoreError:
        raise
    except Exception as error:  # dates and numbers that cannot be make the loader itself fail
        said = " ".join(str(error).split())[:300]
        raise StoreError(f"is no YAML: {said}", code="TL544", location=where) from error


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError as error:
        raise StoreError(
            "YAML needs a package that is not installed",
            code="TL543",
            hint="pip install 'traceloc[yaml]', or use JSON",
        ) from error


def _checked(schema: ErrorSchema) -> ErrorSchema:
    """The schema with masked texts and prose of bounded length.

    Raises:
        ValueError: If its id cannot be one.
    """
    if not _ID.fullmatch(schema.id):
        raise ValueError(
            f"id is {schema.id[:_SHOWN]!r}; expected 'S' and 2 to 40 digits or small letters"
        )
    signature = schema.signature.model_copy(update={"text": mask_text(schema.signature.text)})
    context = schema.context.model_copy(
        update={
            "before": tuple(mask_text(each) for each in schema.context.before[:8]),
            "after": mask_text(schema.context.after),
            "when": mask_prose(schema.context.when),
        }
    )
    return schema.model_copy(
        update={
            "signature": signature,
            "context": context,
            "title": schema.title[:_PROSE],
            "judge": None if schema.judge is None else schema.judge[:_SHOWN],
            "fix": None if schema.fix is None else schema.fix[:_PROSE],
            "template": None if schema.template is None else schema.template[:_PROSE],
            "heuristics": tuple(each[:_PROSE] for each in schema.heuristics[:16]),
        }
    )


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        return f"{at}: {first['msg']}"[:_SHOWN]
    return str(error)[:_SHOWN]
