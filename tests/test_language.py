"""Docstrings and module names that read as the rest does (CONTRIBUTING.md, "Language")."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "users", "payments", "music", "demo", "Spotify_Clone", "benchmarks", "tests")
# Not "The …" or "A …": a class may be named. What follows a preposition or a question word is no sentence.
NO_SENTENCE = re.compile(
    r"(Of|For|Without|As|Until|Unless|Else|Into|Where|By|With|From|At|Before|After|Under"
    r"|What|Who|Whoever|Whom|Whose|Those|How)\b"
)
# Established words for a thing, not for what is done to it.
GERUNDS = {"advertising", "ranking", "spelling", "streaming", "throttling"}

MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts and "node_modules" not in path.parts
]


def docstrings(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_are_sentences(path):
    assert [text for text in docstrings(path) if NO_SENTENCE.match(text)] == []


def test_modules_are_named_by_nouns():
    names = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert {name for name in names if name.endswith("ing") and not name.startswith("test_")} <= GERUNDS
