from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

CHUNK = 256 * 1024


def drain_request_body(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Read the rest of the body of a refused upload.

    The server closes a connection whose body was not read. A proxy that is still sending takes that for a failure, and
    its client would get a 502 instead of our answer.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.META.get("CONTENT_LENGTH") not in (None, "", "0"):
            # The raw stream: request.body may refuse to be read, and would put all of it into memory.
            while request._stream.read(CHUNK):
                pass
        return response

    return middleware
