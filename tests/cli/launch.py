"""The command line with the fake localizer, for tests that need a process of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import fake_localizer

import traceloc.scanning

traceloc.scanning.build_localizer = fake_localizer.make_fake

if __name__ == "__main__":
    from traceloc.cli import main

    main()
