"""How Sphinx builds the documentation: offline, from these pages and the code they describe."""

import logging
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Tables of the reference are printed from the code in src, by the extensions in _ext.
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs" / "_ext")]

metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

project = metadata["name"]
author = "the consentkit authors"
copyright = f"2026, {author}"
version = release = metadata["version"]

extensions = [
    *("myst_parser", "sphinx.ext.autodoc"),
    *("decision_table", "explained", "catalogue_tables", "commands", "bad_files", "terminal"),
    *("notice_tables", "fault_table", "finding_table"),
]
exclude_patterns = ["_build"]
nitpicky = True

# Signatures name types of Python and Starlette, whose pages are elsewhere, and our own by the
# module they are made in; what a page links to itself is written `consentkit.Name`, and is checked.
nitpick_ignore_regex = [
    ("py:.*", r"(?!consentkit\.).*"),
    ("py:.*", r"consentkit\.(rules|wire|notice|enforcement|testing|errors)\..*"),
]
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
default_role = "code"  # docstrings write names as Markdown does
python_maximum_signature_line_length = 80

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
