"""`gonk run`: Gonk's spelling of `gonk serve`, with all its options."""

from __future__ import annotations

from copy import copy
from inspect import cleandoc

from gonk_node.cli.serve_cmd import serve

run = copy(serve)
run.name = "run"
run.help = "Do what gonk serve does; this is Gonk's spelling of it.\n\n" + cleandoc(serve.help or "")
