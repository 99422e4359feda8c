"""An environment of its own for each framework, with the latest release, kept between runs.

Run with a name, or several, to build them without any test: ``python environments.py langgraph``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGE = Path(__file__).resolve().parent
TEAMS = STAGE.parent
CACHE = Path(os.environ.get("FRAMEWORKS_CACHE") or TEAMS.parent.parent / ".frameworks")
INSTALL_LIMIT = 600
"""Seconds that an installation may take."""
RUN_LIMIT = 180
"""Seconds that a team may take; it takes a few."""


class Unavailable(Exception):
    """Why the environment of a framework cannot be had."""


def list_frameworks() -> list[str]:
    """Names of the frameworks, sorted: the folders with a team."""
    return sorted(path.parent.name for path in TEAMS.glob("*/run.py"))


def prepare(name: str) -> Path:
    """The interpreter of ``name``'s environment, which is built unless it stands.

    It is built anew where its requirements changed, and all are with ``FRAMEWORKS_FRESH=1``.

    Raises:
        Unavailable: If it cannot be built, for want of a network for instance.
    """
    folder = CACHE / name
    wanted = TEAMS / name / "requirements.txt"
    digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
    python = folder / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.json"
    if stamp.exists() and json.loads(stamp.read_text())["requirements"] == digest:
        if not os.environ.get("FRAMEWORKS_FRESH"):
            return python
    stamp.unlink(missing_ok=True)
    started = time.monotonic()
    _call(name, [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder / "venv")])
    # This interpreter's pip: some systems make environments without one.
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    _call(name, [*pip, "install", "--quiet", "--no-input", "-r", str(wanted)])
    listed = _call(name, [*pip, "list", "--format", "json"])
    versions = {_normalise(each["name"]): each["version"] for each in json.loads(listed)}
    record = {
        "requirements": digest,
        "versions": dict(sorted(versions.items())),
        "seconds": round(time.monotonic() - started, 1),
    }
    stamp.write_text(json.dumps(record, indent=1) + "\n")
    return python


def read_version(name: str) -> str:
    """The version that was resolved for the first requirement of ``name``."""
    first = (TEAMS / name / "requirements.txt").read_text().split()[0].partition("[")[0]
    record = json.loads((CACHE / name / "installed.json").read_text())
    return str(record["versions"][_normalise(first)])


def _normalise(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def run_team(name: str) -> Path:
    """Run the team of ``name`` in its environment; gives the folder with what it exported.

    Raises:
        Unavailable: If there is no environment.
        RuntimeError: If the team did not come to its end.
    """
    python = prepare(name)
    out = CACHE / name / "exports"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run(
                [str(python), str(TEAMS / name / "run.py"), str(out)],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=RUN_LIMIT,
                cwd=home,
                env=_fence(home),
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the team of {name} took more than {RUN_LIMIT} s") from None
    (out.parent / "run.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise RuntimeError(f"the team of {name} ended with {done.returncode}:\n{tail}")
    return out


def _fence(home: str) -> dict[str, str]:
    """The variables a team runs with: nothing reports home, no key of the machine is seen."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT") if key in os.environ}
    return kept | {
        "HOME": home,
        "PYTHONPATH": str(STAGE),
        "PYTHONWARNINGS": "ignore",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENAI_API_KEY": "none",
        "NO_PROXY": "127.0.0.1",
        "HF_HUB_OFFLINE": "1",
        # Spans hold what was said where they are asked to.
        "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
        "LANGSMITH_TRACING": "false",
        "CREWAI_DISABLE_TELEMETRY": "true",
        "CREWAI_TRACING_ENABLED": "false",
        "CREWAI_TESTING": "true",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _call(name: str, command: list[str]) -> str:
    (CACHE / name).mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"no environment for {name}: over {INSTALL_LIMIT} s") from None
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise Unavailable(f"no environment for {name}: {said[-1] if said else 'no reason given'}")
    return done.stdout


if __name__ == "__main__":
    for each in sys.argv[1:] or list_frameworks():
        prepare(each)
        sys.stdout.write(f"{each}: {read_version(each)}\n")
