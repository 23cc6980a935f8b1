from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from core.api.errors import error_answer
from core.images.sizes import ensure_size
from core.storage.stored_files import PICTURE_SIZES

SIZES = {str(size): size for size in PICTURE_SIZES}


@require_safe
def serve_image(request: HttpRequest, key: str) -> HttpResponseBase:
    """Send a cover or a picture, the only stored files with an address of their own; audio has none.

    `?size=` asks for a square of that width.
    """
    size = request.GET.get("size")
    if size is not None and size not in SIZES:
        return error_answer(400, "invalid", f"Ask for size {', '.join(SIZES)}, or for none.", attr="size")
    try:
        key = ensure_size(key, SIZES[size]) if size else key
        return _redirect(key) if not isinstance(default_storage, FileSystemStorage) else _file(key)
    except FileNotFoundError as error:
        raise Http404 from error


def _file(key: str) -> HttpResponseBase:
    response = FileResponse(default_storage.open(key))
    # A changed image gets another key.
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _redirect(key: str) -> HttpResponseBase:
    response = HttpResponseRedirect(default_storage.url(key))
    # The address that it leads to ends; a redirect that was kept must not outlive it.
    response["Cache-Control"] = f"public, max-age={int(settings.PRESIGNED_URL_LIFETIME.total_seconds()) // 2}"
    return response
