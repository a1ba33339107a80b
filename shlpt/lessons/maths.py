"""The LaTeX of lessons, equations and the glossary as MathML, which browsers show without a library. Pure.

Only what is used here: letters, numbers, signs, names after a backslash, groups, _ and ^, and a few commands."""

import re
from collections.abc import Iterator
from html import escape

from shlpt.errors import UserError

NAMES = {
    "alpha": "α",
    "delta": "δ",
    "tau": "τ",
    "lambda": "λ",
    "epsilon": "ε",
    "emptyset": "∅",
    "odot": "⊙",
    "cdot": "·",
    "le": "≤",
    "mid": "|",
    "sum": "∑",
    "ldots": "…",
}
WORDS = ("log", "cos", "sign")
ACCENTS = {"hat": "^", "tilde": "~"}
SPACES = {" ": ".3em", ",": ".2em", "quad": "1em"}
_TOKENS = re.compile(r"\\(?:text|mathrm)\{[^}]*\}|\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|[^\s]")


def mathml(latex: str, display: bool = False) -> str:
    """A `math` element. What is not known is refused, so that nothing is shown wrongly."""
    try:
        body = _row(iter(_TOKENS.findall(latex)), "")
    except UserError as error:
        raise UserError(f"the formula {latex!r}: {error}") from None
    return f'<math display="{"block" if display else "inline"}">{body}</math>'


def _row(tokens: Iterator[str], end: str) -> str:
    """Everything up to a closing token. A part is [base, sub, sup], so that both scripts can follow in any order."""
    parts: list[list[str]] = []
    for token in tokens:
        if token == end:
            break
        if token in ("_", "^"):
            if not parts:
                raise UserError("a formula has a script without what it belongs to")
            parts[-1][1 if token == "_" else 2] = _one(next(tokens, ""), tokens)
        else:
            parts.append([_one(token, tokens), "", ""])
    else:
        if end:
            raise UserError(f"a formula ends without {end!r}")
    return f"<mrow>{''.join(map(_scripted, parts))}</mrow>"


def _scripted(part: list[str]) -> str:
    base, sub, sup = part
    tag = {(True, True): "msubsup", (True, False): "msub", (False, True): "msup"}.get((bool(sub), bool(sup)))
    return f"<{tag}>{base}{sub}{sup}</{tag}>" if tag else base


def _one(token: str, tokens: Iterator[str]) -> str:
    if token == "{":
        return _row(tokens, "}")
    if token.startswith("\\"):
        return _command(token[1:], tokens)
    if token[:1].isdigit():
        return f"<mn>{token}</mn>"
    if token.isalpha():
        return f"<mi>{token}</mi>"
    if not token or token == "}":
        raise UserError("a formula has a brace or a script without what belongs to it")
    kept = ' stretchy="false"' if token in "()[]" else ""
    return f"<mo{kept}>{escape({'-': '−', '*': '∗'}.get(token, token))}</mo>"


def _command(name: str, tokens: Iterator[str]) -> str:
    if name in NAMES:
        symbol = NAMES[name]
        return f"<mi>{symbol}</mi>" if symbol.isalpha() else f"<mo>{symbol}</mo>"
    if name in WORDS:
        return f"<mi>{name}</mi>"
    if name in ("frac", "tfrac"):
        above = _one(next(tokens, ""), tokens)
        return f"<mfrac>{above}{_one(next(tokens, ''), tokens)}</mfrac>"
    if name in ACCENTS:
        return f'<mover accent="true">{_one(next(tokens, ""), tokens)}<mo>{ACCENTS[name]}</mo></mover>'
    if words := re.fullmatch(r"(?:mathrm|text)\{(.*)\}", name):
        return f"<mtext>{escape(words[1]).replace(' ', '&#160;')}</mtext>"
    if name in SPACES:
        return f'<mspace width="{SPACES[name]}"/>'
    raise UserError(f"formulas cannot have \\{name}: add it to shlpt/lessons/maths.py")
