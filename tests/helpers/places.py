"""Where tests and their files are."""

from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent
FILES = TESTS / "files"
