"""Where stores live: ``TRACELOC_HOME``, else the project's ``.traceloc/``, else the user's data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from traceloc.labels.store import LabelStore

PROJECT_FOLDER = ".traceloc"
LABELS_FILE = "labels.db"


def find_home(
    *, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> Path:
    """The folder of the stores; it need not exist.

    Args:
        environment: Variables; those of the process if left out.
        directory: Where the search for ``.traceloc/`` begins, upward; the working directory if left
            out.
    """
    environment = os.environ if environment is None else environment
    if stated := environment.get("TRACELOC_HOME"):
        return Path(stated).expanduser()
    start = (directory or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FOLDER).is_dir():
            return folder / PROJECT_FOLDER
    data = environment.get("XDG_DATA_HOME", "")
    # The specification says that a relative path is to be ignored.
    base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "traceloc"


def find_label_store(
    *, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> LabelStore:
    """The label store of this project or user; it is created with the first label."""
    return LabelStore(find_home(environment=environment, directory=directory) / LABELS_FILE)
