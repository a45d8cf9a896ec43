"""What programs read in the notes of a release: its licence, address and keywords, in lines at the end as git's trailers are.

A convention about texts that owners sign, no rule of the protocol (spec section 4): notes without such lines are notes. What
does not fit in every detail stays text. Files that cite a release are made elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from gonk_node.core.limits import RELEASE_KEYWORD_CHARS_MAX, RELEASE_KEYWORDS_MAX, RELEASE_URL_CHARS_MAX
from gonk_node.core.safe_text import is_printable
from gonk_node.errors import UsageError
from gonk_node.state.spdx import spdx_id

LICENCE, URL, KEYWORDS = "License", "Url", "Keywords"

_LINE = re.compile(r"([A-Za-z][A-Za-z-]{0,39}): (\S.*)")
_CHAR = r"(?:[A-Za-z0-9!$&'()*+,./:;=?@_~-]|%[0-9A-Fa-f]{2})"  # RFC 3986, without brackets
_URL = re.compile(rf"https?://[A-Za-z0-9][A-Za-z0-9.-]{{0,252}}(?::[0-9]{{1,5}})?(?:[/?]{_CHAR}*)?(?:#{_CHAR}*)?")


class ReleaseNotes(NamedTuple):
    """The notes of a release.

    Attributes:
        text: for people, all that is not below.
        licence: an id of SPDX (`state.spdx`), or an address; "" where they name none that is of use.
        url: where the dataset is found; "" likewise.
        keywords: each once.
    """

    text: str
    licence: str = ""
    url: str = ""
    keywords: tuple[str, ...] = ()


def parse(notes: str) -> ReleaseNotes:
    """What the notes of any release say.

    Lines `License: …`, `Url: …` and `Keywords: …, …` count in the last paragraph, if each line there has that form (of
    whatever name), and where there is one of the name. Anything else is text.
    """
    paragraph_at = notes.rstrip().rfind("\n\n") + 2 if "\n\n" in notes.rstrip() else 0
    lines = [line.rstrip() for line in notes[paragraph_at:].rstrip().split("\n")]
    found = [_LINE.fullmatch(line) for line in lines]
    pairs = [(each[1], each[2]) for each in found if each is not None]
    if len(pairs) < len(lines):
        return ReleaseNotes(notes)
    often = Counter(name for name, _ in pairs)
    said = {name: _value(name, value) for name, value in pairs if often[name] == 1}
    rest = [f"{name}: {value}" for name, value in pairs if not said.get(name)]
    if len(rest) == len(pairs):
        return ReleaseNotes(notes)
    text = "\n\n".join(part for part in (notes[:paragraph_at].rstrip(), "\n".join(rest)) if part)
    keywords = tuple(said.get(KEYWORDS, "").split(", ")) if said.get(KEYWORDS) else ()
    return ReleaseNotes(text, said.get(LICENCE, ""), said.get(URL, ""), keywords)


def _value(name: str, value: str) -> str:
    """A value as it counts; "" where it does not."""
    if name == LICENCE:
        return spdx_id(value) or (value if is_url(value) else "")
    if name == URL:
        return value if is_url(value) else ""
    if name == KEYWORDS:
        words = list(dict.fromkeys(word.strip() for word in value.split(",") if word.strip()))
        return ", ".join(words) if len(words) <= RELEASE_KEYWORDS_MAX and all(map(_is_keyword, words)) else ""
    return ""


def is_url(text: str) -> bool:
    """Whether it is an address on the web that every reader of it takes: ASCII, of bounded length, nothing to escape."""
    return len(text) <= RELEASE_URL_CHARS_MAX and _URL.fullmatch(text) is not None


def _is_keyword(text: str) -> bool:
    return len(text) <= RELEASE_KEYWORD_CHARS_MAX and is_printable(text)


def compose(text: str, *, licence: str = "", url: str = "", keywords: Iterable[str] = ()) -> str:
    """Notes that `parse` reads so.

    Args:
        text: for people; lines at its end that count are kept. It stays as it is where nothing else is given.
        licence: an id of SPDX, in any case, or an address; "" for none.
        url: where the dataset is found; "" for none.
        keywords: words or short phrases, without commas.

    Raises:
        UsageError: a value is none of its kind, or the text says another one already.
    """
    before = parse(text)
    given = {LICENCE: licence, URL: url, KEYWORDS: ", ".join(keywords)}
    values = {LICENCE: before.licence, URL: before.url, KEYWORDS: ", ".join(before.keywords)}
    for name, value in given.items():
        counts = _value(name, value)
        if value and not counts:
            raise UsageError(f"{value[:80]!r} {_NONE[name][0]}", hint=_NONE[name][1])
        if value and values[name] not in ("", counts):
            raise UsageError(f"the notes say {name}: {values[name]} already", hint="say it once")
        values[name] = counts or values[name]
    if not any(given.values()):
        return text
    block = "\n".join(f"{name}: {value}" for name, value in values.items() if value)
    return "\n\n".join(part for part in (before.text.rstrip(), block) if part)


_NONE = {
    LICENCE: (
        "is no id of a licence that CITATION.cff 1.2 knows, and no address",
        "such as CC-BY-4.0 or CC0-1.0; any other licence by the address of its text: https://…",
    ),
    URL: (f"is no web address of up to {RELEASE_URL_CHARS_MAX:,} characters", "such as https://example.org/cells"),
    KEYWORDS: (
        f"are not up to {RELEASE_KEYWORDS_MAX} keywords of up to {RELEASE_KEYWORD_CHARS_MAX} characters",
        "give each by an option of its own",
    ),
}
