"""What only a process of its own shows: pipes, terminals, signals, workers, imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_samples import native

LAUNCH = Path(__file__).with_name("launch.py")
FAULTY = ("plan", "FAULT: 120 EUR", "120 EUR")


def start(*arguments: str, **extra: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(LAUNCH), *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes | extra)  # type: ignore[call-overload, no-any-return]


def run(*arguments: str, **extra: object) -> tuple[int, str, str]:
    with start(*arguments, **extra) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, (out or b"").decode(), (err or b"").decode()


def test_no_colour_in_pipes(runs: Path) -> None:
    code, out, err = run("runs")
    assert (code, err) == (0, "")
    assert "\x1b" not in out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("quiet", [None, "NO_COLOR", "--no-color"])
def test_colour_on_a_terminal_unless_unwanted(runs: Path, quiet: str | None) -> None:
    import pty

    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    arguments = ["scan", "runs"]
    if quiet == "NO_COLOR":
        environment["NO_COLOR"] = "1"
    elif quiet:
        arguments.append(quiet)
    with start(*arguments, stdout=slave, env=environment) as process:
        os.close(slave)
        seen = b""
        try:
            while piece := os.read(master, 4096):
                seen += piece
        except OSError:  # the terminal ends with the process
            pass
        process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 0
    assert (b"\x1b[" in seen) == (quiet is None)


def test_a_reader_that_leaves_is_no_crash() -> None:
    Path("many.jsonl").write_text("\n".join(native(f"t{i}", *FAULTY) for i in range(500)))
    with start("many.jsonl") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
    assert process.returncode == 141
    assert err == b""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(jobs: str) -> None:
    slow = "import pathlib, time\n"
    slow += "class Slow:\n    def localize(self, trace):\n"
    slow += "        pathlib.Path('started').touch()\n        time.sleep(30)\n"
    slow += "def make_fake(options, registry): return Slow()\n"
    Path("fake_localizer.py").write_text(slow)
    Path("launch.py").write_text(LAUNCH.read_text())
    for name in ("a", "b"):
        Path(f"{name}.json").write_text(native(name, *FAULTY))
    command = [sys.executable, "launch.py", "scan", "a.json", "b.json", "--jobs", jobs]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        while process.poll() is None and not Path("started").exists():
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        begin = time.monotonic()
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert (out, err) == (b"", b"interrupted\n")
    assert time.monotonic() - begin < 10


def install_killer(folder: Path) -> None:
    """A distribution whose loader takes its process down."""
    (folder / "killer.py").write_text(
        "import os\n"
        "class Killer:\n"
        "    name = 'killer'\n"
        "    api_version = 1\n"
        "    def sniff(self, head):\n"
        "        return 1.0 if b'KILL' in head.data else 0.0\n"
        "    def load(self, sources):\n"
        "        os._exit(7)\n"
    )
    info = folder / "killer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: killer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[traceloc.loaders]\nkiller = killer:Killer\n")


def test_a_worker_that_dies_is_one_record(runs: Path, tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    install_killer(plugins)
    (runs / "ab.txt").write_text("KILL")
    environment = os.environ | {
        "PYTHONPATH": str(plugins),
        "TRACELOC_PLUGINS": "native,killer,text,json,jsonl",
    }
    code, out, err = run("runs", "-f", "json", "--jobs", "2", env=environment)
    assert code == 3
    document = json.loads(out)
    assert [a["trace_id"] for a in document["attributions"]] == ["a", "b", "c", "d"]
    assert [p["code"] for p in document["problems"]] == ["TL198"]
    assert err.startswith("error[TL198]: runs/ab.txt: the process that read it died")


def test_a_scan_imports_nothing_heavy() -> None:
    Path("a.json").write_text(native("a", *FAULTY))
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(LAUNCH.parent)!r})\n"
        "import launch\n"
        "from traceloc.cli.app import app\n"
        "try:\n"
        "    app(['scan', 'a.json'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        "heavy = {'torch', 'networkx', 'faiss', 'rich', 'multiprocessing'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)


def test_help_imports_no_model() -> None:
    program = (
        "import sys\n"
        "from traceloc.cli.app import app\n"
        "try:\n"
        "    app(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'pydantic', 'numpy', 'rich', 'traceloc.trace'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True)


def test_import_loads_nothing() -> None:
    program = (
        "import sys; before = set(sys.modules); import traceloc; "
        "print(sorted(set(sys.modules) - before - {'__future__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True
    )
    assert done.stdout.strip() == "['traceloc']"


@pytest.mark.parametrize("kind", ["text", "json"])
def test_pipes_get_utf8_whatever_the_locale(kind: str) -> None:
    Path("a.json").write_text(native("a", "plan", "FAULT: 東京 costs 120 €"))
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"}
    code, out, err = run("scan", "a.json", "-f", kind, env=environment)
    assert (code, err) == (0, "")
    assert "東京 costs 120 €" in out


def test_a_progress_bar_never_reaches_a_pipe(tmp_path: Path) -> None:
    Path("many.jsonl").write_text("\n".join(native(f"t{i}", *FAULTY) for i in range(3000)))
    Path("more.jsonl").write_text("\n".join(native(f"t{i}", *FAULTY) for i in range(3000)))
    _, out, err = run("many.jsonl", "more.jsonl", "-f", "jsonl", "--jobs", "1")
    assert len(out.splitlines()) == 6000
    assert err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 3, "error[TL220]: the output cannot be written: Bad file descriptor\n"),
        (">&- -o out.txt", 0, ""),
        (">/dev/null 2>&-", 0, ""),
        (">&- 2>&- <&-", 3, ""),
    ],
)
def test_closed_streams_are_no_crash(redirection: str, code: int, said: str) -> None:
    Path("a.json").write_text(native("a", *FAULTY))
    command = f"'{sys.executable}' '{LAUNCH}' scan a.json {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line() -> None:
    Path("a.json").write_text(native("a", *FAULTY))
    with Path("/dev/full").open("wb") as full:
        code, _, err = run("scan", "a.json", stdout=full)
    assert code == 3
    assert err == "error[TL220]: the output cannot be written: No space left on device\n"
