from collections.abc import Iterator
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

# The deepest body that any endpoint has a use for has two levels.
MAX_DEPTH = 20


class BoundedJSONParser(JSONParser):
    """Refuses what is nested so deeply that whoever walks through it might not come back."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        data = super().parse(stream, media_type, parser_context)
        level = [data]
        for _ in range(MAX_DEPTH + 1):
            level = [child for parent in level for child in children_of(parent)]
        if level:
            raise ParseError("The request's body is nested too deeply.")
        return data


def children_of(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value
