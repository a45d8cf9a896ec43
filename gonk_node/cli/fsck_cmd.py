"""`gonk fsck`."""

from __future__ import annotations

from gonk_node.cli.failure import tell_error
from gonk_node.cli.run import Run, verb
from gonk_node.cli.text import plural
from gonk_node.core.edge_cases import self_test
from gonk_node.errors import NotFoundError, VerificationError
from gonk_node.node.checking import check_node


@verb("fsck")
def fsck(run: Run) -> int:
    """Check everything on this node: each signature, each byte of content.

    Key files, the content, and for each dataset its log, all signatures and the State, which is derived anew and compared.
    It repairs nothing and says for each problem what would. Exit code 4 if there is any.
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
    if run.as_json:
        run.out.json({"problems": [problem.as_dict() for problem in problems]})
    elif problems:
        run.out.note(f"{plural(len(problems), 'problem')} found")
    else:
        run.out.line("no problems found")
    return VerificationError.exit_code if problems else 0
