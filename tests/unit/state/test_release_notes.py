"""Licence, address and keywords in the notes of a release: read back as they were given, and text where they are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonk_node.errors import UsageError
from gonk_node.state import spdx
from gonk_node.state.release_notes import ReleaseNotes, compose, parse

URL = "https://example.org/cells"


def test_lines_at_the_end_are_read_apart() -> None:
    text = "First light.\n\nA second paragraph."
    notes = f"{text}\n\nLicense: cc-by-4.0\nUrl: https://example.org/cells\nKeywords: cells, two words\n"
    assert parse(notes) == ReleaseNotes(text, "CC-BY-4.0", URL, ("cells", "two words"))
    assert parse("License: MIT") == ReleaseNotes("", "MIT")
    assert parse("License: https://example.org/licence") == ReleaseNotes("", "https://example.org/licence")


@pytest.mark.parametrize(
    "notes",
    [
        "",
        "\n\n",
        "first light",
        "Note: boxes were redrawn",
        "License: MIT\nand more text",
        "text\nLicense: MIT",
        "License: MIT\n\ntext",
        "License: my own",
        "License:MIT",
        "License: ",
        "license: MIT",
        "License: MIT\nLicense: ISC",
        "Url: javascript:alert(1)",
        "Url: https://",
        "Url: https://example.org/ü",
        "Url: https://example.org/a b",
        'Url: https://example.org/"',
        "Url: https://example.org/%zz",
        f"Url: https://example.org/{'x' * 1000}",
        "Url: ftp://example.org",
        "Keywords: ,",
        f"Keywords: {'x' * 65}",
        "Keywords: " + ", ".join(map(str, range(33))),
        "Keywords: a\x1b[2J",
    ],
)
def test_what_is_no_such_line_stays_text(notes: str) -> None:
    assert parse(notes) == ReleaseNotes(notes)


def test_other_lines_of_the_block_stay_text_too() -> None:
    notes = "Text.\n\nSigned-off-by: Ada\nLicense: MIT\nUrl: nowhere\nKeywords: a, a,b"
    assert parse(notes) == ReleaseNotes("Text.\n\nSigned-off-by: Ada\nUrl: nowhere", "MIT", "", ("a", "b"))


def test_notes_are_made_of_what_is_given() -> None:
    assert compose("first light \n") == "first light \n"
    assert compose("", licence="mit") == "License: MIT"
    made = compose("Text.\n", licence="CC0-1.0", url=URL, keywords=["a", "b c"])
    assert made == f"Text.\n\nLicense: CC0-1.0\nUrl: {URL}\nKeywords: a, b c"
    assert compose(made, url=URL) == made
    assert compose("Text.\n\nLicense: MIT", url=URL) == f"Text.\n\nLicense: MIT\nUrl: {URL}"


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"licence": "CC-BY4.0"}, "no id of a licence"),
        ({"licence": "MIT\nUrl: https://evil.example"}, "no id of a licence"),
        ({"url": "example.org"}, "no web address"),
        ({"url": "https://example.org\nLicense: MIT"}, "no web address"),
        ({"keywords": ["x" * 65]}, "up to 32 keywords of up to 64"),
        ({"keywords": ["a\nLicense: MIT"]}, "up to 32 keywords"),
        ({"keywords": map(str, range(33))}, "up to 32 keywords"),
    ],
)
def test_what_would_not_be_read_back_is_refused(given_: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        compose("text", **given_)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="say License: MIT already"):
        compose("text\n\nLicense: MIT", licence="ISC")


words = st.text(st.characters(codec="utf-8", exclude_characters=",\n\r"), min_size=1, max_size=20).filter(
    lambda word: word.isprintable() and word == word.strip()
)


@given(
    st.text(max_size=80) | st.sampled_from(["a: b", "x\n\nNote: y", "\n\n\n", "Url: x\n"]),
    st.sampled_from(sorted(spdx.IDS)) | st.just(URL) | st.just(""),
    st.sampled_from(["", URL, "http://localhost:8080/a?b=c#d", "https://example.org/%7Eada"]),
    st.lists(words, max_size=5, unique=True),
)
def test_any_text_comes_back_with_what_was_given(text: str, licence: str, url: str, keywords: list[str]) -> None:
    if parse(text) != ReleaseNotes(text):
        return  # it says something already
    found = parse(compose(text, licence=licence, url=url, keywords=keywords))
    assert found[1:] == (licence, url, tuple(keywords))
    assert found.text == (text.rstrip() if any(found[1:]) else text)


def test_ids_of_licences_are_known_in_any_case() -> None:
    assert spdx.spdx_id("agpl-3.0-OR-later") == "AGPL-3.0-or-later"
    assert spdx.spdx_id("none") is None
    assert spdx.spdx_url("MIT") == "https://spdx.org/licenses/MIT.html"
    assert len(spdx.IDS) == 459
