from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

import pytest
from cli_samples import Invoke

from traceloc import schemas
from traceloc.cli.reference import render_reference
from traceloc.diagnosis import EXTRAS

ROOT = Path(__file__).parents[2]


def test_plugins_are_listed_without_importing_them(invoke: Invoke) -> None:
    result = invoke("plugins", "list", "loaders")
    assert result.exit_code == 0
    assert result.stdout.startswith("loaders\n  native  traceloc ")


def test_broken_plugins_are_shown(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traceloc.loading.native.NativeLoader.api_version", 99)
    result = invoke("plugins", "list", "--check")
    assert result.exit_code == 3
    assert "broken: loader 'native' is written for api_version 99" in result.stdout
    result = invoke("plugins", "info", "native")
    assert result.exit_code == 3
    assert "  broken   " in result.stdout
    result = invoke("doctor")
    assert result.exit_code == 3
    assert "1 broken" in result.stdout


def test_plugin_info(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    result = invoke("plugins", "info", "native")
    assert result.exit_code == 0
    assert "traceloc:native (loader)\n" in result.stdout
    monkeypatch.delenv("TRACELOC_PLUGINS")
    assert "gives" in invoke("plugins", "info", "position").stdout
    result = invoke("plugins", "info", "positon")
    assert result.exit_code == 2
    assert "did you mean 'position'?" in result.stderr
    assert invoke("plugins", "list", "gadgets").exit_code == 2


def test_doctor_says_what_it_sees(invoke: Invoke, runs: Path) -> None:
    Path("traceloc.toml").write_text('top-k = 4\n[systems]\n"runs/*" = "bot"\n')
    (runs / "bad.json").write_text("nonsense")
    result = invoke("doctor", "runs", env={"TRACELOC_FAIL_ON": "any", "TRACELOC_NONSENSE": "1"})
    text = result.stdout
    assert "runs/a.json\n  read by    native at 1.00: 1 trace, 3 steps\n" in text
    assert "  lacks      tool calls:" in text
    assert "runs/notes.md\n  skipped    it is no trace" in text
    assert "runs/bad.json\n  skipped    [TL103] is not JSON" in text
    assert f"  top-k              4  ({Path('traceloc.toml').resolve()})" in text
    assert "  fail-on            any  (TRACELOC_FAIL_ON)" in text
    assert "  memory-embedder    hashed  (default)" in text
    assert "  systems            runs/* = bot" in text
    assert "TRACELOC_NONSENSE in the environment means nothing" in text


def test_doctor_lists_what_could_be_installed(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = metadata("traceloc").get_all("Provides-Extra")
    assert {each.name for each in EXTRAS} == set(known or ())
    required = requires("traceloc") or ()
    for each in EXTRAS:
        mine = [line for line in required if f"'{each.name}'" in line.replace('"', "'")]
        assert any(line.startswith(each.packages[0]) for line in mine), each.name

    def look_up(name: str) -> str:
        if name == "pyarrow":
            raise PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr("traceloc.diagnosis.version", look_up)
    text = invoke("doctor").stdout
    assert "  zstd             reads logs compressed with zstd · zstandard 1.2.3\n" in text
    assert "pyarrow not installed: pip install 'traceloc[parquet]'\n" in text


def test_doctor_reads_standard_input(invoke: Invoke, runs: Path) -> None:
    text = invoke("doctor", "-", input=(runs / "a.json").read_text()).stdout
    assert text.startswith("-\n  read by    native at 1.00: 1 trace, 3 steps\n")


def test_schemas_are_those_of_the_models(invoke: Invoke, tmp_path: Path) -> None:
    assert invoke("schema").stdout.split() == list(schemas.DOCUMENTS)
    for name in schemas.DOCUMENTS:
        shipped = (ROOT / "schemas" / f"{name}.schema.json").read_text()
        assert invoke("schema", name).stdout == shipped, "run: traceloc schema --write schemas/"
    assert invoke("schema", "--write", "out").exit_code == 0
    assert len(list(Path("out").glob("*.schema.json"))) == len(schemas.DOCUMENTS)
    result = invoke("schema", "trac")
    assert result.exit_code == 2
    assert "did you mean 'trace'?" in result.stderr


def test_the_report_fits_its_schema(invoke: Invoke, runs: Path) -> None:
    document = json.loads(invoke("scan", "runs", "-f", "json").stdout)
    schema = json.loads(invoke("schema", "report").stdout)
    assert set(document) == set(schema["properties"])


def test_reference_is_that_of_the_commands() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    assert page == render_reference(), "run: python -m traceloc.cli.reference"


def test_every_code_is_documented() -> None:
    import re

    page = (ROOT / "docs" / "errors.md").read_text()
    documented = set(re.findall(r"^\| (TL\d{3}) ", page, re.MULTILINE))
    used: set[str] = set()
    for folder in ("traceloc", "plugins"):
        for file in (ROOT / folder).rglob("*.py"):
            used |= set(re.findall(r"""["'\[](TL\d{3})["'\]]""", file.read_text()))
    assert documented == used


@pytest.mark.parametrize("option", ["--version", "--help", "-h"])
def test_simple_questions(invoke: Invoke, option: str) -> None:
    result = invoke(option)
    assert result.exit_code == 0
    assert "traceloc" in result.stdout


def test_nothing_asked_shows_help(invoke: Invoke) -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Usage: traceloc" in result.output


def test_doctor_takes_the_files_of_one_run_together(invoke: Invoke, tmp_path: Path) -> None:
    folder = tmp_path / "talk" / "events"
    folder.mkdir(parents=True)
    for number, (source, role) in enumerate((("user", "user"), ("agent", "assistant"))):
        event = {
            "id": str(number),
            "timestamp": f"2026-03-09T10:00:0{number}",
            "kind": "MessageEvent",
            "source": source,
            "llm_message": {"role": role, "content": [{"type": "text", "text": "Hello."}]},
        }
        (folder / f"event-0000{number}-{number}.json").write_text(json.dumps(event))
    plugins = {"TRACELOC_PLUGINS": "openhands"}
    text = invoke("doctor", str(tmp_path / "talk"), env=plugins).stdout
    assert "read by    openhands at 0.95: 1 trace, 2 steps from 2 files" in text
    assert text.count("read by") == 1 and "lacks      the task" not in text
