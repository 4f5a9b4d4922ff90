"""How Sphinx makes the site: `make docs`, or python -m sphinx -W -n -b html docs build/site."""

from __future__ import annotations

import sys
from pathlib import Path

# The parts that are made from the code read the code of this checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from runjob.version import VERSION

project = "runjob"
author = "the runjob contributors"
version = release = VERSION
extensions = ["myst_parser", "docs.parts"]
exclude_patterns = ["parts", "static", "__pycache__"]
# Two hyphens are the start of an option here, and no dash.
smartquotes = False
# Headings get anchors as a code host makes them, so that a link works in both places.
myst_heading_anchors = 3
# What is no language of a highlighter is text; a shell's prompt is none of ours.
highlight_language = "text"

html_theme = "furo"
html_title = f"runjob {VERSION}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
# The pages are files of a folder: no address of their own, nothing fetched from elsewhere.
html_baseurl = ""
