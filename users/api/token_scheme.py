from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "users.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": (
                "Enter the word `Token`, a space, and the token that `POST /api/login` or `POST /api/users` answers: "
                "`Token 9f86d081884c7d65`. A token alone, or `Bearer` before it, is refused with a 401."
            ),
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """The package's own scheme does not say what it is for."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: object) -> dict:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": (
                "The session of a browser that is logged in at `/accounts/login`, for the browsable API. Requests that "
                "change something also send the CSRF token as `X-CSRFToken`."
            ),
        }
