"""XML of strangers, read a part at a time: what is given, what is refused, and what is held of it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from gonk_node.core.limits import XML_DEPTH_MAX, XML_ELEMENT_CHARS_MAX, XML_TOKEN_BYTES_MAX
from gonk_node.errors import InputFileError
from gonk_node.formats import strict_xml
from gonk_node.formats.strict_xml import Begun, Ended, Part, Whole

OPENED = (("list",), ("group",))


def parts(tmp_path: Path, text: str | bytes) -> list[Part]:
    file = tmp_path / "a.xml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(strict_xml.read(file, OPENED))


def refusal(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(InputFileError) as caught:
        parts(tmp_path, text)
    assert caught.value.where == str(tmp_path / "a.xml")
    return caught.value.what


def test_elements_come_in_parts_or_whole(tmp_path: Path) -> None:
    found = parts(tmp_path, '<list><head x="1">a<b/>c</head>\n<group n="2">\n<item>t</item></group><group/></list>')
    assert [type(part) for part in found] == [Begun, Whole, Begun, Whole, Ended, Begun, Ended, Ended]
    head, item = (part for part in found if isinstance(part, Whole))
    assert (head.element.get("x"), head.element.text, head.element[0].tail, head.line) == ("1", "a", "c", 1)
    assert (item.element.text, item.line) == ("t", 3)
    assert found[2] == Begun("group", {"n": "2"}, 2)


def test_what_is_opened_elsewhere_is_whole(tmp_path: Path) -> None:
    found = parts(tmp_path, "<list><list/><group><group><item/></group></group></list>")
    assert [part.element.tag for part in found if isinstance(part, Whole)] == ["list", "group"]


@pytest.mark.parametrize("size", [1, 1000, 1 << 18, (1 << 18) + 1])
def test_a_tag_may_be_longer_than_what_is_read_at_a_time(tmp_path: Path, size: int) -> None:
    found = parts(tmp_path, f'<list><item a="{"x" * size}"/></list>')
    assert [len(part.element.get("a", "")) for part in found if isinstance(part, Whole)] == [size]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('<!DOCTYPE list [<!ENTITY a "x">]><list>&a;</list>', "has a document type or entities"),
        ("<!DOCTYPE list SYSTEM 'file:///etc/passwd'><list/>", "has a document type or entities"),
        ("<other/>", "its top element is <other>, not <list>"),
        ("<list><item></list>", "is not XML: mismatched tag at line 1, column 15"),
        ("<list><item/>", "is not XML: no element found"),
        ("", "is not XML: no element found"),
        ("<list/><list/>", "is not XML: junk after document element"),
        ("<list>&undeclared;</list>", "is not XML: undefined entity"),
        (b'<?xml version="1.0" encoding="none"?><list/>', "is not XML"),
        (b"<list>\xff</list>", "is not XML: not well-formed (invalid token)"),
        ("<list>" + "<item>" * XML_DEPTH_MAX, f"is nested deeper than {XML_DEPTH_MAX} elements"),
    ],
)
def test_it_is_refused(tmp_path: Path, text: str | bytes, what: str) -> None:
    assert refusal(tmp_path, text).startswith(what)


def test_a_file_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        list(strict_xml.read(tmp_path / "none.xml", OPENED))


@pytest.mark.parametrize("begin", ['<list><item a="', "<list><!-- ", "<list><?do "])
def test_a_tag_or_comment_without_end_is_refused_before_it_is_held(tmp_path: Path, begin: str) -> None:
    text = begin.encode() + b"x" * (5 * XML_TOKEN_BYTES_MAX)
    tracemalloc.start()
    try:
        assert refusal(tmp_path, text).startswith("has a tag or comment of more than")
        assert tracemalloc.get_traced_memory()[1] < len(text)
    finally:
        tracemalloc.stop()


def test_an_element_that_is_held_whole_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piece = "<b>" + "x" * (1 << 20) + "</b>"
    text = "<list><item>" + piece * (XML_ELEMENT_CHARS_MAX // (1 << 20) + 1) + "</item></list>"
    assert refusal(tmp_path, text).startswith(f"has an element of more than {XML_ELEMENT_CHARS_MAX:,} characters")
    monkeypatch.setattr(strict_xml, "XML_ELEMENTS_MAX", 3)
    assert parts(tmp_path, "<list><item><b/><b/></item><item><b/><b/></item></list>")
    assert refusal(tmp_path, "<list>\n<item><b/><b/><b/></item></list>").endswith("with more than 3 in it, at line 2")


def test_text_and_elements_that_were_given_are_not_held(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    with file.open("w") as stream:
        stream.write("<list>")
        for _ in range(4):
            stream.write(" " * (1 << 20) + "<group>" + '<item a="b">text</item>\n' * 20_000 + "</group>")
        stream.write("</list>")
    tracemalloc.start()
    try:
        count = sum(isinstance(part, Whole) for part in strict_xml.read(file, OPENED))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 80_000
    assert peak < 12 << 20, f"{peak:,} bytes"  # a piece of 256 KiB as elements; all of them would take 40 MiB
