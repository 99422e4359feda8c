"""Schemata as files: what is written is read again, what strangers send is checked and bounded."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from injector import KINDS, clean_runs, inject
from teaching_kit import LESSON, new_memory, sketch

from traceloc.errors import StoreError
from traceloc.memory import documents
from traceloc.memory.documents import FORMATS, read_schemata, write_schemata
from traceloc.memory.schema import Context, Counts, ErrorSchema, Signature
from traceloc.memory.seed import load_seed

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed: pip install 'traceloc[yaml]'")

ONE = {"id": "S1a", "signature": {"text": "call <name>"}, "origin": "labelled"}
NASTY = (
    "yes",
    "no: - not a list",
    "# no comment",
    "&anchor *alias !!python/object",
    "two\nlines\ttab",
    "1e3",
    "{a: b}",
    "'quoted' \"twice\"",
    "ünï ☃ 日本",
    "2026-01-01",
    "null",
    "---",
)


def write(path: Path, schemata: list[ErrorSchema]) -> Path:
    format = "yaml" if path.suffix in (".yaml", ".yml") else path.suffix[1:]
    path.write_text("".join(write_schemata(schemata, format)), encoding="utf-8")  # type: ignore[arg-type]
    return path


def some() -> list[ErrorSchema]:
    memory = new_memory()
    for number, host in enumerate(clean_runs(5)):
        injected = inject(host, KINDS[number], seed=number)
        memory.learn(sketch(injected.trace), [injected.native], LESSON)
    return memory.schemata()


def refuse(path: Path, content: str | bytes, *codes: str) -> StoreError:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(StoreError) as caught:
        read_schemata(path)
    assert caught.value.code in codes
    return caught.value


@pytest.mark.parametrize("suffix", [*FORMATS, "yml"])
def test_what_is_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    schemata = some()
    path = write(tmp_path / f"a.{suffix}", schemata)
    assert len(schemata) == 5 and read_schemata(path) == schemata


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_shipped_library_survives_every_format(tmp_path: Path, suffix: str) -> None:
    assert tuple(read_schemata(write(tmp_path / f"a.{suffix}", list(load_seed())))) == load_seed()


@pytest.mark.parametrize("words", NASTY)
def test_words_that_mean_something_to_yaml_stay_words(tmp_path: Path, words: str) -> None:
    schema = ErrorSchema(
        id="S1a",
        title=words,
        signature=Signature(text="call <name>"),
        heuristics=(words,),
        fix=words,
        category=words,
        context=Context(when="when it is due"),
        judge="some:model",
        origin="labelled",
        counts=Counts(seen=3, last_hit=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        created=datetime(2026, 1, 2, tzinfo=UTC),
    )
    (again,) = read_schemata(write(tmp_path / "a.yaml", [schema]))
    assert again == schema


def test_yaml_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "team.yml"
    path.write_text(
        "schemata:\n"
        "- id: S1a\n"
        "  origin: labelled\n"
        "  signature: {text: 'Call Ann at 5551234'}\n"
        "  heuristics:\n"
        "  - Does it call somebody?   # a question\n"
        "  counts: {seen: 4, last_hit: 2026-01-02T03:04:05Z}\n"
    )
    (schema,) = read_schemata(path)
    assert schema.signature.text == "call <name> at <num>"
    assert schema.heuristics == ("Does it call somebody?",)
    assert schema.counts.seen == 4 and schema.counts.last_hit is not None


@pytest.mark.parametrize(
    "content",
    [
        "!!python/object/apply:os.system ['touch pwned']",
        "!!python/object/new:pathlib.Path [pwned]",
        "!!python/name:os.system ''",
        "schemata: !!python/tuple [1]",
        "!include /etc/passwd",
        "a: b: c",
        "\t- x",
        "[1, 2",
        "- &a [x]\n- *a",
        "",
        "3",
        "words",
        "schemata: 3",
        "schemata: {a: 1}",
        "- 1\n- 2",
        "- {id: S1a}",
        "- {id: S1a, origin: labelled, signature: [text]}",
        "- {id: S1a, origin: bought, signature: {text: a}}",
        "- {id: S1a, origin: labelled, signature: {text: a}, extra: 1}",
        "- {id: ../../x, origin: labelled, signature: {text: a}}",
        "- {id: S1a, origin: labelled, signature: {text: 2026-01-01}}",
        "- {? [a, b] : c}",
        "a: 1\n---\nb: 2",
        "- {id: S1a, origin: labelled, signature: {text: a}, counts: {seen: 9" + "9" * 5000 + "x}}",
        "- {id: S1a, origin: labelled, signature: {text: a}, created: 2026-13-45}",
        "x: !!int zz",
        "x: !!binary '***'",
        "x: !!timestamp never",
    ],
)
def test_hostile_yaml_is_refused(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = refuse(tmp_path / "x.yaml", content, "TL544")
    assert not (tmp_path / "pwned").exists()
    assert error.location is not None and error.location.path.endswith("x.yaml")


def test_a_bomb_of_aliases_does_not_go_off(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 40)]
    error = refuse(tmp_path / "bomb.yaml", "\n".join(rows), "TL544")
    assert "aliases" in str(error)


@pytest.mark.parametrize("content", ["[" * 50_000, "{a: " * 20_000, "- " * 50_000, "? " * 50_000])
def test_deep_nesting_is_refused(tmp_path: Path, content: str) -> None:
    refuse(tmp_path / "deep.yaml", content, "TL544")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a", b"a: \x00", b"\x80\x81"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    refuse(tmp_path / "x.yaml", content, "TL544")


@pytest.mark.parametrize("suffix", FORMATS)
def test_too_much_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / f"a.{suffix}", some())
    monkeypatch.setattr(documents, "MAX_SCHEMATA", 4)
    with pytest.raises(StoreError) as caught:
        read_schemata(path)
    assert caught.value.code == "TL542"
    monkeypatch.setattr(documents, "MAX_BYTES", 100)
    with pytest.raises(StoreError) as caught:
        read_schemata(path)
    assert caught.value.code == "TL542"


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(ONE) + "\n\n" + json.dumps(ONE | {"origin": "bought"}) + "\n")
    with pytest.raises(StoreError) as caught:
        read_schemata(path)
    assert caught.value.location is not None and caught.value.location.line == 3
    assert "origin" in str(caught.value)


def test_without_the_package_json_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "x.yaml"
    path.write_text("[]")
    with pytest.raises(StoreError) as caught:
        read_schemata(path)
    assert caught.value.code == "TL543" and "traceloc[yaml]" in (caught.value.hint or "")
    with pytest.raises(StoreError):
        list(write_schemata(some(), "yaml"))
    assert read_schemata(write(tmp_path / "x.json", some()))


def test_prose_of_strangers_is_bounded_and_what_a_judge_wrote_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    long = ONE | {
        "title": "t" * 9000,
        "judge": "j" * 9000,
        "heuristics": ["q" * 9000] * 40,
        "context": {"when": "When Ann Lee pays 30", "before": ["Ann pays"] * 99},
    }
    path.write_text(json.dumps([long]))
    (schema,) = read_schemata(path)
    assert len(schema.title) == 2000 and len(schema.judge or "") < 200
    assert len(schema.heuristics) == 16 and len(schema.context.before) == 8
    assert schema.context.when == "when <name> pays <num>"
