"""How Sphinx builds the documentation: offline, from these pages and the code they describe."""

import logging
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Tables of the reference are printed from the code in src.
sys.path.insert(0, str(ROOT / "src"))

metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

project = metadata["name"]
author = "the consentkit authors"
copyright = f"2026, {author}"
version = release = metadata["version"]

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
nitpicky = True

# A room of the documentation may stand empty until its first page is written. The warning has no
# type, so `suppress_warnings` cannot name it.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Furo uses the reader's own fonts and brings its scripts along: no page loads from elsewhere.
html_theme = "furo"
html_title = f"{project} {version}"
html_show_sourcelink = False
html_copy_source = False
