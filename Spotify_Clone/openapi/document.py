"""The view that serves the OpenAPI document."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class DocumentView(SpectacularAPIView):
    def _get_schema_response(self, request: Request) -> HttpResponse:
        renderer: Any = request.accepted_renderer
        disposition = f'inline; filename="{self._get_filename(request, None)}"'
        headers = {"Content-Type": f"{renderer.media_type}; charset=utf-8", "Content-Disposition": disposition}
        return HttpResponse(document_as(renderer.__class__), headers=headers)


@cache
def document_as(renderer: Any) -> bytes:
    """Return the document as YAML or JSON. Generating it takes a second, and it is the same for all callers."""
    return renderer().render(SchemaGenerator().get_schema(public=True), renderer_context={})
