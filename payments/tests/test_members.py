import re

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments.models import Membership
from users.models import User

pytestmark = pytest.mark.django_db

MEMBERS = "/api/subscriptions/members"


@pytest.fixture
def owner(stripe, subscribe, plans, listener):
    subscribe(listener, plans.family)
    return listener


@pytest.fixture
def invite(api_as, mailoutbox):
    """`invite(owner, "nina@example.com")`: the token in the mail."""

    def invited(owner, email, **body):
        answer = api_as(owner).post(MEMBERS, {"email": email, **body})
        assert answer.status_code == 201, answer.json()
        return re.search(r"/join\?token=(\w+)", mailoutbox[-1].body)[1]

    return invited


@pytest.fixture
def join(api_as):
    return lambda user, token: api_as(user).post("/api/subscriptions/join", {"token": token})


@pytest.fixture
def with_member(invite, join):
    def joined(owner, user, **body):
        assert join(user, invite(owner, f"{user.username}@example.com", **body)).status_code == 200
        return Membership.objects.get(user=user)

    return joined


def test_the_owner_sees_no_address_of_a_member_but_the_one_that_was_invited(owner, api_as, make_user, invite, join):
    member = make_user("nina")
    member.username = member.email
    member.save()
    join(member, invite(owner, "seat@example.org"))

    [seat] = api_as(owner).get(MEMBERS).json()["results"]

    assert seat["user"] == {"id": str(member.pk), "username": "nina", "name": "nina"}
    assert seat["email"] == "seat@example.org"


def test_an_invitation_says_nothing_that_the_sender_chose_but_a_harmless_name(owner, api_as, mailoutbox):
    owner.name = "Your account is locked\r\nBcc: all@example.org https://evil.example/unlock"
    User.objects.filter(pk=owner.pk).update(name=owner.name)

    assert api_as(owner).post(MEMBERS, {"email": "stranger@example.com"}).status_code == 201

    [mail] = mailoutbox
    assert mail.subject == "You are invited to Premium Family"
    assert mail.recipients() == ["stranger@example.com"]
    assert "evil.example" not in mail.body
    assert "Bcc:" not in mail.body
    assert re.findall(r"\S+://\S+", mail.body) == re.findall(r"http://localhost:3000/join\?token=\w+", mail.body)


def test_invitations_stop_at_three_an_hour_for_one_address(owner, api_as, mailoutbox):
    answers = [api_as(owner).post(MEMBERS, {"email": "nina@example.com"}) for _ in range(10)]

    assert [answer.status_code for answer in answers] == [201] * 10
    assert len(mailoutbox) == 3


def test_an_owner_sends_twenty_invitations_an_hour(owner, api_as, mailoutbox):
    client = api_as(owner)
    for number in range(25):
        seat = client.post(MEMBERS, {"email": f"stranger{number}@example.com"}).json()
        assert client.delete(f"{MEMBERS}/{seat['id']}").status_code == 204

    assert len(mailoutbox) == 20


def test_an_invitation_is_a_mail_with_a_token(owner, api_as, mailoutbox, current):
    answer = api_as(owner).post(MEMBERS, {"email": "nina@example.com", "is_child": True})

    assert answer.status_code == 201
    seat = answer.json()
    assert (seat["user"], seat["email"], seat["is_child"]) == (None, "nina@example.com", True)
    assert (seat["status"], seat["joined_at"]) == ("invited", None)
    assert seat["expires_at"] > timezone.now().isoformat()
    [mail] = mailoutbox
    assert mail.to == ["nina@example.com"]
    assert "http://localhost:3000/join?token=" in mail.body
    assert api_as(owner).get(MEMBERS).json()["results"] == [seat]
    assert (current(owner)["members_used"], current(owner)["max_members"]) == (2, 6)


def test_whoever_holds_the_token_joins_once(owner, invite, join, artist, other_artist, current, features, code, api_as):
    token = invite(owner, "nina@example.com")

    answer = join(artist, token)

    assert answer.status_code == 200
    assert (answer.json()["plan"], answer.json()["role"]) == ("family", "member")
    assert answer.json() == current(artist)
    assert features(artist)["ad_free"]
    again = join(other_artist, token)
    assert (again.status_code, code(again)) == (400, "invalid_token")
    [seat] = api_as(owner).get(MEMBERS).json()["results"]
    assert seat["user"] == {"id": str(artist.pk), "username": "artist", "name": "The Artist"}
    assert (seat["email"], seat["status"], seat["expires_at"]) == ("nina@example.com", "active", None)


def test_an_invitation_lasts_seven_days(owner, invite, join, artist, api_as, code, current):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = invite(owner, "nina@example.com")
        clock.shift(7 * 24 * 3600)

        assert code(join(artist, token)) == "invalid_token"
        assert api_as(owner).get(MEMBERS).json()["results"] == []
        assert current(owner)["members_used"] == 1


@pytest.mark.parametrize("token", ["nonsense", "", " ", "\0", "ü", "x" * 201, "x" * 100_000, 7, True, ["x"], {"x": 1}])
def test_a_bad_token_opens_nothing(owner, join, artist, code, token):
    answer = join(artist, token)

    assert (answer.status_code, code(answer)) == (400, "invalid_token")


def test_half_a_letter_is_no_token(owner, artist, api_as, code):
    answer = api_as(artist).post("/api/subscriptions/join", '{"token": "\\ud800"}', content_type="application/json")

    assert (answer.status_code, code(answer)) == (400, "invalid_token")


def test_invited_again_only_the_newer_token_works(owner, invite, join, artist, code, current):
    old, new = invite(owner, "nina@example.com"), invite(owner, "NINA@example.com")

    assert code(join(artist, old)) == "invalid_token"
    assert join(artist, new).status_code == 200
    assert current(owner)["members_used"] == 2


def test_seats_run_out(stripe, subscribe, plans, listener, api_as, invite, code):
    subscribe(listener, plans.duo)
    invite(listener, "nina@example.com")

    answer = api_as(listener).post(MEMBERS, {"email": "sam@example.com"})

    assert (answer.status_code, code(answer)) == (400, "no_seats_left")
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("plan", [None, "individual"])
def test_a_plan_for_one_has_no_seats(stripe, subscribe, plans, listener, api_as, code, plan):
    if plan:
        subscribe(listener, getattr(plans, plan))

    for answer in (api_as(listener).get(MEMBERS), api_as(listener).post(MEMBERS, {"email": "nina@example.com"})):
        assert (answer.status_code, code(answer)) == (403, "no_seats")


def test_a_member_leaves(owner, with_member, artist, api_as, features, current, code):
    with_member(owner, artist)

    assert api_as(artist).post("/api/subscriptions/leave").status_code == 204

    assert not features(artist)["ad_free"]
    assert current(owner)["members_used"] == 1
    assert code(api_as(artist).post("/api/subscriptions/leave")) == "no_subscription"


def test_the_owner_takes_a_seat_back(owner, with_member, artist, api_as, features, mailoutbox):
    seat = with_member(owner, artist)

    assert api_as(owner).delete(f"{MEMBERS}/{seat.pk}").status_code == 204

    assert not features(artist)["ad_free"]
    assert (mailoutbox[-1].subject, mailoutbox[-1].to) == ("Your seat on Premium Family", ["artist@example.com"])
    assert api_as(owner).delete(f"{MEMBERS}/{seat.pk}").status_code == 404


def test_another_owners_seats_are_unknown(owner, with_member, artist, other_artist, subscribe, plans, api_as):
    seat = with_member(owner, artist)
    subscribe(other_artist, plans.duo)

    for stranger in (other_artist, artist):
        assert api_as(stranger).delete(f"{MEMBERS}/{seat.pk}").status_code == 404
        assert api_as(stranger).patch(f"{MEMBERS}/{seat.pk}", {"is_child": True}).status_code == 404
    assert Membership.objects.get() == seat
    assert api_as(owner).delete(f"{MEMBERS}/nonsense").status_code == 404


def test_a_child_is_said_to_be_one(owner, with_member, artist, api_as):
    seat = with_member(owner, artist)

    answer = api_as(owner).patch(f"{MEMBERS}/{seat.pk}", {"is_child": True, "email": "else@example.com"})

    assert (answer.status_code, answer.json()["is_child"]) == (200, True)
    seat.refresh_from_db()
    assert (seat.is_child, seat.email) == (True, "artist@example.com")


def test_an_invitation_sent_again_is_for_a_child_still(owner, invite, join, artist, api_as):
    invite(owner, "nina@example.com", is_child=True)

    join(artist, invite(owner, "nina@example.com"))

    [seat] = api_as(owner).get(MEMBERS).json()["results"]
    assert seat["is_child"]


def test_the_list_shows_the_invited_address_whoever_joined(owner, invite, join, artist, api_as):
    join(artist, invite(owner, "nina@example.com"))
    artist.email = "new@example.com"
    artist.save()

    answer = api_as(owner).get(MEMBERS)

    assert answer.json()["results"][0]["email"] == "nina@example.com"
    assert "artist@" not in answer.content.decode()
    assert "new@" not in answer.content.decode()


def test_a_child_can_not_leave(owner, with_member, artist, api_as, code, current, subscribe, plans, invite, join,
                               other_artist):  # fmt: skip
    seat = with_member(owner, artist, is_child=True)

    answer = api_as(artist).post("/api/subscriptions/leave")

    assert (answer.status_code, code(answer)) == (403, "child_account")
    assert code(subscribe(artist, plans.individual)) == "already_member"
    subscribe(other_artist, plans.family)
    assert code(join(artist, invite(other_artist, "nina@example.com"))) == "already_member"
    assert current(artist)["role"] == "member"
    api_as(owner).patch(f"{MEMBERS}/{seat.pk}", {"is_child": False})
    assert api_as(artist).post("/api/subscriptions/leave").status_code == 204


def test_a_checkout_page_from_before_does_not_free_a_child(owner, with_member, artist, api_as, stripe, plans):
    url = api_as(artist).post("/api/subscriptions/checkout", {"plan_id": str(plans.individual.pk)}).json()["url"]
    seat = with_member(owner, artist, is_child=True)

    stripe.check_out(url)
    stripe.catch_up()

    seat.refresh_from_db()
    assert seat.user == artist


def test_members_do_not_see_the_owners_people(owner, with_member, artist, api_as):
    with_member(owner, artist)

    assert api_as(artist).get(MEMBERS).status_code == 403


def test_who_has_a_plan_can_not_join_and_who_joined_can_not_subscribe(
    owner, invite, join, with_member, artist, other_artist, subscribe, plans, code
):
    subscribe(artist, plans.individual)
    answer = join(artist, invite(owner, "nina@example.com"))
    assert (answer.status_code, code(answer)) == (400, "already_subscribed")
    assert code(join(owner, invite(owner, "me@example.com"))) == "already_subscribed"

    with_member(owner, other_artist)
    answer = subscribe(other_artist, plans.individual)
    assert (answer.status_code, code(answer)) == (400, "already_member")


def test_one_is_on_one_plan(owner, with_member, invite, join, artist, other_artist, subscribe, plans, code):
    subscribe(other_artist, plans.duo)
    with_member(owner, artist)

    assert code(join(artist, invite(other_artist, "nina@example.com"))) == "already_member"


def test_members_stand_and_fall_with_the_owners_plan(owner, with_member, artist, stripe, api_as, features, mailoutbox):
    with_member(owner, artist)
    api_as(owner).post("/api/subscriptions/cancel")
    assert features(artist)["ad_free"]

    stripe.later(days=31)

    assert not features(artist)["ad_free"]
    assert not Membership.objects.exists()
    assert {mail.to[0]: mail.subject for mail in mailoutbox[-2:]} == {
        "listener@example.com": "Your Premium Family plan has ended",
        "artist@example.com": "Your seat on Premium Family",
    }


def test_fewer_seats_than_people_are_refused(owner, with_member, invite, artist, subscribe, plans, code, current):
    with_member(owner, artist)
    invite(owner, "sam@example.com")

    for plan in (plans.duo, plans.individual):
        answer = subscribe(owner, plan)
        assert (answer.status_code, code(answer)) == (400, "too_many_members")
    assert current(owner)["plan"] == "family"


def test_with_enough_seats_the_members_stay(owner, with_member, artist, subscribe, plans, features):
    with_member(owner, artist)

    assert subscribe(owner, plans.duo).status_code == 200
    assert features(artist)["ad_free"]


def test_fewer_seats_told_by_stripe_end_invitations_and_who_joined_last(
    owner, with_member, invite, artist, other_artist, stripe, subscribe, plans, make_user, features, mailoutbox
):
    with_member(owner, artist)
    with_member(owner, other_artist)
    invite(owner, "sam@example.com")
    subscribe(make_user("somebody"), plans.duo)  # so that its price is known there
    plans.duo.refresh_from_db()
    [there] = [sub for sub in stripe.subscriptions() if sub["items"]["data"][0]["price"]["unit_amount"] == 1699]

    items = [{"id": there["items"]["data"][0]["id"], "price": plans.duo.stripe_price_id}]
    stripe.post(f"/v1/subscriptions/{there['id']}", items=items)
    stripe.catch_up()

    assert [seat.user for seat in Membership.objects.all()] == [artist]
    assert (features(artist)["ad_free"], features(other_artist)["ad_free"]) == (True, False)
    assert [mail.to for mail in mailoutbox if mail.subject.startswith("Your seat")] == [["other@example.com"]]


def test_lists_take_as_many_queries_for_five_as_for_one(owner, with_member, make_user, api_as):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api_as(owner).get(MEMBERS).status_code == 200
        return len(captured.captured_queries)

    with_member(owner, make_user("m0"))
    one = queries()
    for number in range(1, 5):
        with_member(owner, make_user(f"m{number}"))
    assert queries() == one
