"""Runs a notebook in this process. `python tests/notebook.py docs/first_steps.ipynb` stores what it says."""

import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import plotly.graph_objects as go


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == "code"]


def run(path: Path) -> list[str]:
    """What each code cell prints, and the value of its last line; figures are drawn and not printed."""
    space: dict[str, Any] = {"__name__": "__main__"}
    outputs = []
    for number, cell in enumerate(cells(path), 1):
        tree = ast.parse("".join(cell["source"]), f"{path.name} cell {number}")
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(tree, f"cell {number}", "exec"), space)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), space)
                if isinstance(value, go.Figure):
                    value.to_json()
                elif value is not None:
                    print(value)
        outputs.append(said.getvalue())
    return outputs


def store(path: Path) -> None:
    """Write what the cells say into the notebook."""
    notebook, texts = json.loads(path.read_text(encoding="utf-8")), iter(run(path))
    number = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            text = next(texts)
            stream = {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}
            cell |= {"outputs": [stream] if text else [], "execution_count": number}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    store(Path(sys.argv[1]))
