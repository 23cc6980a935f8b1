import io

import pytest

from Spotify_Clone.wsgi import Request


@pytest.mark.parametrize("charset", ["zlib", "rot13", "punycode", "undefined", "hex", "x\0y", "no-such-thing"])
def test_an_unknown_charset_is_read_as_utf_8(charset):
    body = "name=Zoë".encode()
    request = Request(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/api/login",
            "QUERY_STRING": "q=a%C3%AB",
            "CONTENT_TYPE": f"application/x-www-form-urlencoded; charset={charset}",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    )
    assert request.GET["q"] == "aë"
    assert request.POST["name"] == "Zoë"
