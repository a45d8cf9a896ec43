"""The Ed25519 vectors beside this module: RFC 8032's own, and the edge cases on which libraries differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gonk_node.core import edge_cases
from gonk_node.core.keys import Signer, is_valid_author, verify_signature

FOLDER = Path(__file__).parent / "ed25519"


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


EDGE_CASES = load("edge_cases.json")
GROUPS = {
    "speccheck": edge_cases.SPECCHECK,
    "small_order": edge_cases.SMALL_ORDER,
    "honest_and_twins": edge_cases.HONEST_AND_TWINS,
}
ROWS = [row for group in GROUPS for row in EDGE_CASES[group]]


@pytest.mark.parametrize("vector", load("rfc8032.json")["vectors"], ids=["1", "2", "3"])
def test_the_vectors_of_rfc_8032_sign_and_verify(vector: dict[str, str]) -> None:
    seed, author, message, signature = (
        bytes.fromhex(vector[name]) for name in ("seed", "author", "message", "signature")
    )
    signer = Signer.from_seed(seed)
    assert signer.author == author
    assert signer.sign(message) == signature
    assert verify_signature(author, message, signature)
    assert is_valid_author(author)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_each_edge_case_gets_the_verdict_of_every_other_node(row: dict[str, Any]) -> None:
    author, message, signature = (bytes.fromhex(row[name]) for name in ("author", "message", "signature"))
    assert verify_signature(author, message, signature) is row["verified"]
    assert is_valid_author(author) is row["valid_author"]


def test_no_published_edge_case_passes_both_rules() -> None:
    rows = EDGE_CASES["speccheck"] + EDGE_CASES["small_order"]
    assert [row["what"] for row in rows if row["verified"] and row["valid_author"]] == []
    assert [index for index, row in enumerate(EDGE_CASES["speccheck"]) if row["verified"]] == [3]


@pytest.mark.parametrize("group", GROUPS)
def test_the_table_that_nodes_run_at_start_is_this_file(group: str) -> None:
    assert [
        {
            "what": case.what,
            "author": case.author.hex(),
            "message": case.message.hex(),
            "signature": case.signature.hex(),
            "verified": case.verified,
            "valid_author": case.valid_author,
        }
        for case in GROUPS[group]
    ] == EDGE_CASES[group]


def test_the_speccheck_rows_are_as_published() -> None:
    published = [(v["pub_key"], v["message"], v["signature"]) for v in load("speccheck.json")["vectors"]]
    assert [(row["author"], row["message"], row["signature"]) for row in EDGE_CASES["speccheck"]] == published


def test_the_small_order_rows_are_the_fourteen_encodings() -> None:
    """Recomputed from the y of the eight points of small order, in every encoding that fits 32 bytes."""
    p = 2**255 - 19
    order_8 = [bytes.fromhex(c["author"]) for c in EDGE_CASES["small_order"][4:8]]
    ys = {0, 1, p - 1} | {int.from_bytes(key, "little") % 2**255 for key in order_8}
    spellings = {y for base in ys for y in (base, base + p) if y < 2**255}
    expected = {(y | sign << 255).to_bytes(32, "little") for y in spellings for sign in (0, 1)}
    assert {bytes.fromhex(row["author"]) for row in EDGE_CASES["small_order"]} == expected
