"""The rows of table.txt, and the routes of the URLconf that they have to match."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.urls import URLResolver, get_resolver

from tests.routes.world import CALLERS

METHODS = ("OPTIONS", "GET", "POST", "PUT", "PATCH", "DELETE")
ANYTHING = "*"


class Row(NamedTuple):
    path: str
    cells: tuple[str, ...]

    def expected(self) -> dict[tuple[str, str], str]:
        """Return the status by method and caller; HEAD has that of GET."""
        by_method = {method: statuses(cell) for method, cell in zip(METHODS, self.cells, strict=True)}
        by_method["HEAD"] = by_method["GET"]
        return {(method, caller): by_method[method][caller] for method in by_method for caller in CALLERS}


def statuses(cell: str) -> dict[str, str]:
    anonymous, *others = cell.replace("-", "405").split("/")
    others = others if len(others) > 1 else [others[0] if others else anonymous] * (len(CALLERS) - 1)
    return dict(zip(CALLERS, [anonymous, *others], strict=True))


def rows() -> list[Row]:
    lines = Path(__file__).with_name("table.txt").read_text().splitlines()
    cells = [line.split() for line in lines if line and not line.startswith("#")]
    return [Row(path, tuple(rest)) for path, *rest in cells]


def routes() -> Iterator[str]:
    """Yield every route of the URLconf, as `resolve(path).route` spells it."""
    return _routes_in(get_resolver(), "")


def _routes_in(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = _joined(prefix, str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _routes_in(pattern, route)
        else:
            yield route


def _joined(prefix: str, route: str) -> str:
    return prefix + route.removeprefix("^") if prefix else route
