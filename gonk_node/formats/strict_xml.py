"""XML of strangers, read into elements: no document type, no entities, nothing fetched, bounded depth.

The parser of the standard library expands entities that a document declares (a few bytes can become gigabytes); a
document that declares any, or has a document type at all, is refused here. Namespaces and comments are not kept.
"""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from gonk_node.core.limits import VOC_DEPTH_MAX
from gonk_node.errors import InputFileError


def parse(text: bytes) -> Element:
    """The top element of an XML document.

    Args:
        text: the document, in the encoding that it declares (UTF-8 without a declaration).

    Raises:
        InputFileError: it is no well-formed XML (says line and column), has a document type, or is nested deeper than
            VOC_DEPTH_MAX elements.
    """
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > VOC_DEPTH_MAX:
            raise InputFileError(f"is nested deeper than {VOC_DEPTH_MAX} elements")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> NoReturn:
        raise InputFileError("has a document type or entities (<!DOCTYPE …>), which are refused")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code)
        raise InputFileError(f"is not XML: {what} at line {error.lineno}, column {error.offset + 1}") from error
    except (LookupError, ValueError) as error:  # an encoding that is unknown or of several bytes
        raise InputFileError(f"is not XML in a known encoding: {error}") from error
    return builder.close()
