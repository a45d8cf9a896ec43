"""Cells of CSV files that no spreadsheet takes for a formula, and the names of gonk's columns.

Spreadsheets evaluate cells that begin with = + - @, a tab or a line end (https://owasp.org/www-community/attacks/CSV_Injection),
some also with the full-width forms. Such a text gets a ' before it; so does one that begins with ', so that reading takes
exactly that one away again. It does not quote cells: `csv` does.
"""

from __future__ import annotations

COLUMNS = ("file_name", "label", "score", "annotation")

_EVALUATED = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", "'")


def write_cell(text: str) -> str:
    """The text as a cell."""
    return "'" + text if text.startswith(_EVALUATED) else text


def read_cell(cell: str) -> str:
    """The text of a cell, of gonk's files or of others: a ' goes only where `write_cell` would have put it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_EVALUATED) else cell
