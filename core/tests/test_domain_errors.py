"""HTTP statuses and headers of the errors in core/errors.py."""

import pytest
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from core import errors


def answer_to(error, *, auth_header="Token"):
    """Return the response of a view that raises the error."""

    class Failing(APIView):
        authentication_classes = []
        permission_classes = []
        throttle_classes = []

        def get(self, request):
            raise error

        def get_authenticate_header(self, request):
            return auth_header

    request = APIRequestFactory().get("/api/failing")
    # As counted by the throttle already, which this view leaves out.
    request.was_counted = True
    return Failing.as_view()(request)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotAuthenticated(), 401, "authentication_failed"),
        (errors.NotAllowed("Ask the owner.", "child_account"), 403, "child_account"),
        (errors.NotFound(), 404, "not_found"),
        (errors.Conflict(), 409, "conflict"),
        (errors.LimitReached(wait=7), 429, "throttled"),
        (errors.UpstreamFailed(), 502, "upstream_failed"),
        (errors.Unavailable(), 503, "unavailable"),
    ],
)
def test_each_domain_error_has_a_status_and_the_shape_of_errors(error, status, code):
    answer = answer_to(error)

    assert answer.status_code == status
    assert answer.data == {
        "type": "server_error" if status >= 500 else "client_error",
        "errors": [{"code": code, "detail": error.detail, "attr": None}],
    }


def test_a_subclass_has_the_status_of_its_base():
    class PlanEnded(errors.NotAllowed):
        default_code = "plan_ended"
        default_detail = "The plan has ended."

    answer = answer_to(PlanEnded())

    assert (answer.status_code, answer.data["errors"][0]["code"]) == (403, "plan_ended")


def test_wait_is_sent_as_retry_after():
    assert answer_to(errors.LimitReached(wait=7))["Retry-After"] == "7"
    assert not answer_to(errors.NotAllowed()).has_header("Retry-After")


def test_a_401_names_the_scheme_and_becomes_a_403_without_one():
    assert answer_to(errors.NotAuthenticated())["WWW-Authenticate"] == "Token"
    assert answer_to(errors.NotAuthenticated(), auth_header=None).status_code == 403
