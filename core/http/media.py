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
    """Send a cover or a picture, or with `?size=` its square of that width in pixels.

    These are the only files with a public address; audio is sent by signed ones.
    """
    size = request.GET.get("size")
    if size is not None and size not in SIZES:
        return error_answer(400, "invalid", f"Ask for size {', '.join(SIZES)}, or for none.", attr="size")
    try:
        key = ensure_size(key, SIZES[size]) if size else key
        if not isinstance(default_storage, FileSystemStorage):
            response: HttpResponseBase = HttpResponseRedirect(default_storage.url(key))
            # The signed address in it expires; a cached redirect must not outlive it.
            seconds = int(settings.PRESIGNED_URL_LIFETIME.total_seconds()) // 2
            response["Cache-Control"] = f"public, max-age={seconds}"
            return response
        response = FileResponse(default_storage.open(key))
        # A changed image gets another key.
        response["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
    except FileNotFoundError as error:
        raise Http404 from error
