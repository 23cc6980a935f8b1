from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe


@require_safe
def stored_image(request: HttpRequest, key: str) -> HttpResponseBase:
    """Covers and pictures, the only stored files with an address of their own; audio has none."""
    if not isinstance(default_storage, FileSystemStorage):
        response: HttpResponseBase = HttpResponseRedirect(default_storage.url(key))
        # The address has to be good still for whoever is answered from a cache.
        response["Cache-Control"] = f"public, max-age={int(settings.PRESIGNED_URL_LIFETIME.total_seconds()) // 2}"
        return response
    try:
        response = FileResponse(default_storage.open(key))
    except FileNotFoundError as error:
        raise Http404 from error
    # A changed image gets another key.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
