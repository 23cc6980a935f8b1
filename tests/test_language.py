"""Docstrings are sentences, and modules are named by nouns (CONTRIBUTING.md, "Language")."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "users", "payments", "music", "demo", "Spotify_Clone", "benchmarks", "tests")
# Prepositions, conjunctions and question words: a docstring begins with a verb, or says what a class or module is.
NO_SENTENCE = re.compile(
    r"(After|As|At|Because|Before|Beside|Between|But|By|During|Else|For|From|If|In|Into|Of|On|Once|Since|So"
    r"|That|Those|Though|Through|To|Under|Unless|Until|When|Whenever|Where|While|With|Within|Without"
    r"|How|What|Whatever|Which|Who|Whoever|Whom|Whose|Why)\b"
)
# Established nouns of the field, a command's public name, and a script that is named by what it does.
ENDS_IN_ING = {
    *("advertising", "folding", "ranking", "spelling", "streaming", "throttling", "trending"),
    *("render_missing", "lose_everything"),
}

MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if not {"migrations", "node_modules", "generated"} & set(path.parts)
]
HAVE_DOCSTRINGS = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def docstrings(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [ast.get_docstring(node) or "" for node in nodes if isinstance(node, HAVE_DOCSTRINGS)]


def test_every_package_is_searched():
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_docstrings_are_sentences(path):
    assert [text for text in docstrings(path) if NO_SENTENCE.match(text)] == []


def test_modules_are_named_by_nouns():
    names = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert {name for name in names if name.endswith("ing") and not name.startswith("test_")} <= ENDS_IN_ING
