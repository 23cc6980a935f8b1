from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.http import HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from core.api.errors import NoSuchResource
from core.http.media import serve_image
from Spotify_Clone.api_router import router
from Spotify_Clone.openapi.document import DocumentView
from users.forms import LoginPage

# Redoc generates its style sheets, and the worker for its search.
allow_redoc = csp_update({"style-src": ["'self'", "'unsafe-inline'"], "worker-src": ["blob:"]})

login_pages = (
    [
        re_path(
            r"^login/?$",
            LoginPage.as_view(),
            name="login",
        ),
        re_path(r"^logout/?$", LogoutView.as_view(next_page="/api/"), name="logout"),
    ],
    "rest_framework",
)

# HTML pages, which do not answer OPTIONS.
READ_ONLY = {"http_method_names": ["get", "head"]}

urlpatterns = [
    path("api/", include(router.urls)),  # first: Django tries the patterns in order
    path("favicon.ico", lambda request: HttpResponseRedirect(static("favicon.svg"))),
    path("", TemplateView.as_view(template_name="welcome.html"), name="welcome"),
    re_path(r"^api/schema/?$", DocumentView.as_view(), name="schema"),
    re_path(r"^api/docs/?$", SpectacularSwaggerSplitView.as_view(url_name="schema", **READ_ONLY), name="docs"),
    re_path(r"^api/redoc/?$", allow_redoc(SpectacularRedocView.as_view(url_name="schema", **READ_ONLY)), name="redoc"),
    path("accounts/", include(login_pages)),
    path("admin/", admin.site.urls),
    re_path(r"^admin$", lambda request: HttpResponseRedirect("/admin/")),
    re_path(r"^api/?$", router.get_api_root_view(), name="api-root"),
    re_path(r"^api/", NoSuchResource.as_view(), name="no-such-resource"),
    re_path(r"^media/(?P<key>(?:covers|pictures|ads)/[0-9a-f-]{36}\.(?:jpg|png))$", serve_image),
]

if "debug_toolbar" in settings.INSTALLED_APPS:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()

handler400 = "core.api.errors.bad_request"
handler404 = "core.api.errors.page_not_found"
handler500 = "core.api.errors.server_error"
