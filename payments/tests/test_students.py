import io
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from music.tests.samples import saved
from payments.models import StudentApplication
from payments.tests.waiting_tasks import run_waiting_tasks

pytestmark = pytest.mark.django_db

STUDENT = "/api/subscriptions/student"


@pytest.fixture
def apply(api_as, listener):
    return lambda **body: api_as(listener).post(STUDENT, body, format="multipart" if "document" in body else "json")


@pytest.fixture
def status(api_as, listener):
    return lambda: api_as(listener).get(STUDENT).json()


@pytest.fixture
def decide(client, make_user):
    """Return a function that decides all applications as an admin: `decide("approve")`."""
    boss = make_user("boss", is_staff=True, is_superuser=True)
    client.force_login(boss)

    def decided(action):
        client.force_login(boss)
        chosen = [str(pk) for pk in StudentApplication.objects.values_list("pk", flat=True)]
        path = "/admin/payments/studentapplication/"
        sent = {"action": action, "_selected_action": chosen, "confirm": "yes", "reason": "The document is unreadable."}
        answer = client.post(path, sent, follow=True)
        assert answer.status_code == 200
        return [str(message) for message in answer.context["messages"]]

    return decided


def pdf(content=b"%PDF-1.7 a card"):
    return SimpleUploadedFile("../card.php", content, "text/html")


def picture(kind="PNG"):
    encoded = io.BytesIO()
    Image.new("RGB", (4, 3)).save(encoded, kind)
    return SimpleUploadedFile("card", encoded.getvalue())


def stored():
    try:
        return default_storage.listdir("student-documents")[1]
    except FileNotFoundError:
        return []


def test_the_status_without_an_application_is_none(status):
    assert status() == {"status": "none", "expires_at": None}


def test_a_new_application_is_pending(apply, status):
    answer = apply(school_email="me@school.example")

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert status() == {"status": "pending", "expires_at": None}


@pytest.mark.parametrize(("document", "ending"), [(pdf(), "pdf"), (picture(), "png"), (picture("JPEG"), "jpg")])
def test_a_document_is_stored_privately_until_the_decision(
    apply, decide, client, api, document, ending, django_capture_on_commit_callbacks
):
    assert apply(document=document).status_code == 202
    [name] = stored()
    assert name.endswith(f".{ending}")
    assert api.get(f"/media/student-documents/{name}").status_code == 404
    page = f"/admin/payments/studentapplication/{StudentApplication.objects.get().pk}/document/"
    shown = client.get(page)
    assert (shown.status_code, shown["Content-Disposition"].split(";")[0]) == (200, "attachment")

    with django_capture_on_commit_callbacks(execute=True):
        decide("approve")

    assert stored() == []
    assert client.get(page).status_code == 404


def test_only_admins_can_download_documents(apply, api_as, client, listener, make_user):
    apply(document=pdf())
    page = f"/admin/payments/studentapplication/{StudentApplication.objects.get().pk}/document/"

    client.force_login(listener)
    assert client.get(page).status_code == 302  # to the log-in page
    client.force_login(make_user("clerk", is_staff=True))
    assert client.get(page).status_code == 403


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>%PDF-", "invalid_document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid_document"),
        (b"GIF89a", "invalid_document"),
        (b"", "empty_file"),
        (b"%PDF-" + bytes(10 * 2**20), "file_too_large"),
    ],
)
def test_documents_of_other_types_are_refused(apply, content, code):
    answer = apply(document=pdf(content))

    assert answer.status_code == 400
    assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [("document", code)]
    assert stored() == []
    assert not StudentApplication.objects.exists()


@pytest.mark.parametrize("body", [{}, {"school_email": ""}, {"school_email": "nonsense"}])
def test_an_application_needs_an_address_or_a_document(apply, body):
    assert apply(**body).status_code == 400


def test_a_second_application_replaces_the_pending_one(apply, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        apply(document=pdf())
        apply(document=picture())

    assert StudentApplication.objects.count() == len(stored()) == 1


def test_the_student_plan_needs_an_approval(stripe, subscribe, plans, listener, apply, decide, api_as, code):
    for step in (lambda: None, lambda: apply(school_email="me@school.example"), lambda: decide("refuse")):
        step()
        answer = subscribe(listener, plans.student)
        assert (answer.status_code, code(answer)) == (403, "student_verification_required")
    checkout = api_as(listener).post("/api/subscriptions/checkout", {"plan_id": str(plans.student.pk)})
    assert checkout.status_code == 403


def test_an_approval_is_valid_for_a_year(stripe, subscribe, plans, listener, apply, decide, status):
    apply(school_email="me@school.example")
    assert decide("approve") == ["Approved for a year: 1."]

    assert status()["status"] == "approved"
    expires = timezone.datetime.fromisoformat(status()["expires_at"])
    assert abs(expires - timezone.now() - timedelta(days=365)) < timedelta(minutes=1)
    assert subscribe(listener, plans.student).status_code == 201


def test_a_decided_application_cannot_be_decided_again(apply, decide, status):
    apply(school_email="me@school.example")
    decide("refuse")

    assert decide("approve") == ["Approved for a year: 0.", "1 were decided before and are unchanged."]
    assert status()["status"] == "refused"
    [entry] = LogEntry.objects.all()
    assert entry.get_change_message() == "Refused. Reason: The document is unreadable."
    assert apply(school_email="me@school.example").status_code == 202
    assert status()["status"] == "pending"


def test_a_student_plan_ends_with_the_period_after_the_approval_expires(
    stripe, subscribe, plans, listener, apply, decide, status, current, code
):
    apply(school_email="me@school.example")
    decide("approve")
    subscribe(listener, plans.student)

    with time_machine.travel(timezone.now() + timedelta(days=366)):
        run_waiting_tasks()  # one of them was due today
        assert status() == {"status": "none", "expires_at": None}
        assert current(listener)["cancel_at_period_end"]
        assert code(subscribe(listener, plans.student)) == "already_subscribed"

    stripe.later(days=31)
    assert current(listener)["plan"] == "free"


def test_a_student_plan_continues_after_a_new_approval(stripe, subscribe, plans, listener, apply, decide, current):
    apply(school_email="me@school.example")
    decide("approve")
    subscribe(listener, plans.student)
    with time_machine.travel(timezone.now() + timedelta(days=300)):
        apply(school_email="me@school.example")
        decide("approve")

    with time_machine.travel(timezone.now() + timedelta(days=366)):
        run_waiting_tasks()
        assert not current(listener)["cancel_at_period_end"]


def test_a_student_plan_chosen_in_the_portal_without_approval_ends_with_the_period(
    stripe, subscribe, plans, listener, make_user, api_as, current
):
    from payments.stripe.prices import sync_plan

    sync_plan(plans.student)
    subscribe(listener, plans.individual)
    url = api_as(listener).post("/api/subscriptions/portal").json()["url"]

    stripe.in_portal(url, "switch", price=plans.student.stripe_price_id)
    stripe.catch_up()

    assert (current(listener)["plan"], current(listener)["cancel_at_period_end"]) == ("student", True)


def test_a_decompression_bomb_is_refused_as_a_document(apply):
    jpeg = picture("JPEG").read()
    segments = SimpleUploadedFile("card", jpeg[:2] + b"\xff\xe5\0\2" * 100_000 + jpeg[2:])
    long = SimpleUploadedFile("card", saved(Image.new("1", (20_001, 1)), "PNG"))

    for document in (segments, long):
        answer = apply(document=document)
        assert (answer.status_code, answer.data["errors"][0]["code"]) == (400, "invalid_document")


def test_a_form_with_an_unused_file_input_is_an_application_by_address(api_as, listener):
    """Send the same bytes as a browser."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="school_email"\r\n\r\nme@school.example\r\n'
        b'--b\r\nContent-Disposition: form-data; name="document"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--b--\r\n"
    )

    answer = api_as(listener).post("/api/subscriptions/student", body, content_type="multipart/form-data; boundary=b")

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert StudentApplication.objects.get().school_email == "me@school.example"
