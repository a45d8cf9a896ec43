"""`gonk fsck`."""

from __future__ import annotations

from typing import Any

import click

from gonk_node.cli.failure import tell_error
from gonk_node.cli.run import Run, verb
from gonk_node.cli.text import plural, size_text
from gonk_node.core.edge_cases import self_test
from gonk_node.errors import NotFoundError, VerificationError
from gonk_node.node.checking import check_node
from gonk_node.node.dropping import drop_rejected as drop_content


@verb("fsck")
@click.option(
    "--drop-rejected",
    is_flag=True,
    help="Where all is well, then drop content that only rejected proposals of others name.",
)
def fsck(run: Run, drop_rejected: bool) -> int:
    """Check everything on this node: each signature, each byte of content.

    Key files, the content, and for each dataset its log, all signatures and the State, which is derived anew and compared.
    It repairs nothing and says for each problem what would. Exit code 4 if there is any.

    With --drop-rejected it frees room: should something that was rejected be accepted after all, its content is fetched
    anew from whoever has it.
    """
    self_test()
    home = run.home
    if not home.exists() and not home.datasets.exists():
        raise NotFoundError("there is no node here", where=str(home.root), hint="gonk init makes one")
    problems = []
    for problem in check_node(home, lambda what: run.out.note(f"checking {what}")):
        problems.append(problem)
        if not run.as_json:
            tell_error(problem)
    dropped = drop_content(run.node()) if drop_rejected and not problems else None
    if run.as_json:
        told: dict[str, Any] = {"problems": [problem.as_dict() for problem in problems]}
        run.out.json(told if dropped is None else told | {"dropped": dropped._asdict()})
    elif problems:
        run.out.note(f"{plural(len(problems), 'problem')} found")
    else:
        run.out.line("no problems found")
        if dropped is not None:
            run.out.line(f"content: {plural(dropped.files, 'file')} ({size_text(dropped.bytes)}) dropped")
    return VerificationError.exit_code if problems else 0
