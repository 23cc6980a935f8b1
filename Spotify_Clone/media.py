from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe


@require_safe
def stored_image(request: HttpRequest, key: str) -> HttpResponseBase:
    """Covers and pictures, the only stored files with an address of their own; audio has none."""
    if not isinstance(default_storage, FileSystemStorage):
        response: HttpResponseBase = HttpResponseRedirect(default_storage.url(key))
        response["Cache-Control"] = "public, max-age=3600"
        return response
    try:
        response = FileResponse(default_storage.open(key))
    except FileNotFoundError as error:
        raise Http404 from error
    # A changed image gets another key.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
