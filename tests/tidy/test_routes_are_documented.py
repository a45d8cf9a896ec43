"""docs/http-api.md is what `scripts/gen_http_docs.py` makes of the table of routes."""

from __future__ import annotations

from gonk_node.api.app import every_route
from kit.loading import load_script
from kit.source_tree import ROOT, text


def test_the_page_of_the_http_api_is_that_of_the_table() -> None:
    hint = "run: python scripts/gen_http_docs.py --write"
    page = ROOT / "docs" / "http-api.md"
    assert page.exists(), hint
    assert text(page) == load_script("gen_http_docs").render(every_route()), hint
