"""XML as exporters write it: a line for each tag, escaped so that every text comes back that XML can hold at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

_INDENT = "  "
_REPLACED = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], "�")
_OF_TEXT = {"\r": "&#13;"}  # a parser would make a line feed of it,
_OF_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}  # and blanks of these


@dataclass(slots=True)
class Xml:
    """One element, either with a text or with elements in it."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: list[Xml] = field(default_factory=list)

    def lines(self, depth: int) -> Iterator[str]:
        """Its lines at that depth, without line ends; a text is never broken or indented."""
        indent = _INDENT * depth
        if self.children:
            yield indent + begin(self.tag, self.attributes)
            for child in self.children:
                yield from child.lines(depth + 1)
            yield f"{indent}</{self.tag}>"
        elif self.text:
            yield f"{indent}{begin(self.tag, self.attributes)}{escaped(self.text)}</{self.tag}>"
        else:
            yield f"{indent}{begin(self.tag, self.attributes)[:-1]}/>"

    def encode(self, depth: int) -> bytes:
        """Its lines, each with its end, in UTF-8."""
        return "".join(f"{line}\n" for line in self.lines(depth)).encode()


def begin(tag: str, attributes: Mapping[str, str]) -> str:
    """The tag that begins an element."""
    said = (f' {name}="{escape(value.translate(_REPLACED), _OF_ATTRIBUTE)}"' for name, value in attributes.items())
    return f"<{tag}{''.join(said)}>"


def escaped(text: str) -> str:
    """A text between tags. Characters that no XML 1.0 document has become U+FFFD."""
    return escape(text.translate(_REPLACED), _OF_TEXT)


def fits(text: str) -> bool:
    """Whether XML can hold all of a text."""
    return text.translate(_REPLACED) == text
