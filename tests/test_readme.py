"""The README shows files of the project; it shows them as they are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
QUICKSTART = ROOT / "examples" / "quickstart"

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https://)(?P<path>[^)#]+)")


def blocks(language: str) -> list[str]:
    return [found["code"] for found in BLOCK.finditer(README) if found["language"] == language]


@pytest.mark.parametrize(("language", "file"), [("yaml", "consent.yaml"), ("python", "app.py")])
def test_a_block_of_the_readme_is_the_file_of_the_example(language: str, file: str) -> None:
    """Who copies from the README gets what is tested in tests/examples."""
    assert blocks(language)[0] == (QUICKSTART / file).read_text("utf-8")


def test_the_readme_leads_to_pages_that_are_there() -> None:
    """A link of the README is followed on the project's page, where nothing checks it."""
    paths = [found["path"] for found in LINK.finditer(README)]
    assert len(paths) > 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_readme_promises_no_compliance() -> None:
    """Whether a site complies is for its owner and their counsel to say, not for a library."""
    assert "legal advice" in README
    assert "complian" not in README.lower()
