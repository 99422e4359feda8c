from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from traceloc.errors import UsageError
from traceloc.settings import Settings, resolve_settings


def resolve(folder: Path, command_line: dict[str, object] | None = None, **environment: str):  # type: ignore[no-untyped-def]
    return resolve_settings(command_line, environment=environment, directory=folder)


def test_defaults(tmp_path: Path) -> None:
    found = resolve(tmp_path)
    assert found.settings == Settings()
    assert set(found.origins.values()) == {"default"}
    with pytest.raises(FrozenInstanceError):
        found.settings.top_k = 9  # type: ignore[misc]


def test_the_nearest_source_wins(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    file = tmp_path / "traceloc.toml"
    file.write_text('top-k = 4\njobs = 2\nfail_on = "any"\n')
    found = resolve(below, {"jobs": 8, "top_k": None}, TRACELOC_FAIL_ON="located", PATH="x")
    assert (found.settings.top_k, found.settings.jobs, found.settings.fail_on) == (4, 8, "located")
    assert found.origins["top-k"] == str(file)
    assert found.origins["jobs"] == "command line"
    assert found.origins["fail-on"] == "TRACELOC_FAIL_ON"
    assert found.file == str(file)


def test_pyproject_counts_only_if_it_speaks_of_us(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool.traceloc]\ntop-k = 7\n[tool.traceloc.systems]\n'runs' = 'bot'\n")
    below = tmp_path / "package"
    below.mkdir()
    (below / "pyproject.toml").write_text("[tool.other]\nnot even = toml")
    found = resolve(below)
    assert found.settings.top_k == 7
    assert found.settings.systems.find(str(tmp_path / "runs" / "deep" / "x.json")) == "bot"
    (tmp_path / "traceloc.toml").write_text("top-k = 8\n")
    assert resolve(below).settings.top_k == 8


def test_paths_of_a_file_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "traceloc.toml").write_text('model = "models/m.json"\n')
    below = tmp_path / "below"
    below.mkdir()
    assert resolve(below).settings.model == str(tmp_path / "models" / "m.json")
    assert resolve(below, TRACELOC_MODEL="m.json").settings.model == "m.json"


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("runs/**", "runs/a/b.json", True),
        ("runs", "runs/a/b.json", True),
        ("runs/", "runs/a.json", True),
        ("runs/*", "runs/a.json", True),
        ("runs/*.json", "runs/a/b.json", False),
        ("**/support/*.json", "x/y/support/a.json", True),
        ("**/support/*.json", "support/a.json", True),
        ("run?/a.json", "runs/a.json", True),
        ("run[sx]/a.json", "runs/a.json", True),
        ("run[!s]/a.json", "runs/a.json", False),
        ("runs", "runs2/a.json", False),
        ("a.json", "a+json", False),
    ],
)
def test_globs_of_systems(tmp_path: Path, pattern: str, path: str, fits: bool) -> None:
    (tmp_path / "traceloc.toml").write_text(f"[systems]\n'{pattern}' = 'bot'\n")
    found = resolve(tmp_path).settings.systems.find(str(tmp_path / path))
    assert found == ("bot" if fits else None)


def test_a_folder_with_glob_characters_is_just_a_folder(tmp_path: Path) -> None:
    odd = tmp_path / "odd[1]*"
    odd.mkdir()
    (odd / "traceloc.toml").write_text("[systems]\n'runs/*' = 'first'\n'**' = 'rest'\n")
    systems = resolve(odd).settings.systems
    assert systems.find(str(odd / "runs" / "a.json")) == "first"
    assert systems.find(str(odd / "b.json")) == "rest"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("topk = 3", "TL201", "there is no setting 'topk'"),
        ("top-k = 0", "TL202", "top-k is 0; expected a whole number of at least 1"),
        ("top-k = true", "TL202", "expected a whole number"),
        ('fail-on = "sometimes"', "TL202", "expected one of located, abstained, any, never"),
        ("min-coverage = 1.5", "TL202", "expected a number from 0 to 1"),
        ("strict = 1", "TL202", "expected true or false"),
        ("format = 3", "TL202", "expected a name"),
        ("systems = 3", "TL202", "[systems] must give a name"),
        ("[systems]\n'a' = 3", "TL202", "[systems] must give a name"),
        ("top-k = ", "TL203", "settings cannot be read"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, code: str, said: str) -> None:
    file = tmp_path / "traceloc.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        resolve(tmp_path)
    assert caught.value.code == code
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_the_closest_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "traceloc.toml").write_text("min_coverge = 1\n")
    with pytest.raises(UsageError) as caught:
        resolve(tmp_path)
    assert caught.value.hint == "did you mean 'min-coverage'?"


def test_wrong_variables(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TRACELOC_TOP_K: top-k is 'many'"):
        resolve(tmp_path, TRACELOC_TOP_K="many")
    found = resolve(
        tmp_path, TRACELOC_TOPK="1", TRACELOC_SYSTEMS="x", TRACELOC_HOME="/x", TRACELOC_STRICT=""
    )
    assert found.unknown_variables == ("TRACELOC_SYSTEMS", "TRACELOC_TOPK")
    assert found.settings == Settings()


def test_words_for_switches(tmp_path: Path) -> None:
    assert resolve(tmp_path, TRACELOC_ONLY_FAILED="yes").settings.only_failed is True
    assert resolve(tmp_path, TRACELOC_COLOR="0").settings.color is False
