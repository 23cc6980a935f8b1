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
                "Enter the word `Token`, a space, and the token from `POST /api/login` or `POST /api/users`: "
                "`Token 9f86d081884c7d65`. A token alone, or `Bearer` before it, is refused with a 401."
            ),
        }


class SessionScheme(OpenApiAuthenticationExtension):
    """Replaces the scheme of drf-spectacular, which has no description."""

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
