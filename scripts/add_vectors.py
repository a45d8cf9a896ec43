"""Writes the golden entries of tests/kit/{valid,invalid}_vectors.py that have no file yet; never touches one that has.

Usage: `python scripts/add_vectors.py`, in an environment where the package and its test tools are installed. Before it
writes a file it verifies that the entry is accepted, or refused for its rule. It ends with code 1 where a case comes out
differently from its file: then the format has changed, which needs another protocol version, not another file.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from gonk_node.core.verify import check_chain, verify_entry
from gonk_node.errors import InvalidEntryError
from kit.invalid_vectors import invalid
from kit.valid_vectors import VALID, Vector
from kit.vector_files import FOLDER, MANIFEST, digest, dump


def rule_broken(vector: Vector) -> str | None:
    """The rule that a case breaks today."""
    try:
        check_chain(verify_entry(vector.record, vector.dataset), vector.prev)
    except InvalidEntryError as error:
        return error.rule
    return None


def add(name: str, vector: Vector) -> str:
    """Write the file of one case where there is none; returns "added", "kept", or what is wrong."""
    found = rule_broken(vector)
    if found != vector.rule:
        return f"breaks {found or 'no rule'}, not {vector.rule or 'no rule'}"
    entry = verify_entry(vector.record, vector.dataset) if vector.rule is None else None
    path = FOLDER / name
    text = dump(vector, entry)
    if path.exists():
        return "kept" if path.read_text(encoding="utf-8") == text else "differs from its file, which is never rewritten"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    with MANIFEST.open("a", encoding="utf-8") as manifest:
        manifest.write(f"{digest(path)}  {name}\n")
    return "added"


def main() -> int:
    """Add what is missing and say so."""
    cases = {f"valid/{name}.json": make() for name, make in VALID.items()}
    cases |= {f"invalid/{name}.json": vector for name, vector in invalid().items()}
    done = {"added": 0, "kept": 0}
    problems = []
    for name, vector in cases.items():
        outcome = add(name, vector)
        if outcome in done:
            done[outcome] += 1
        else:
            problems.append(f"{name}: {outcome}")
    print(f"{done['added']} added, {done['kept']} kept, in {FOLDER}")
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
