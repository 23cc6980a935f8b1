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
    """Return a function that invites and returns the token in the mail: `invite(owner, "nina@example.com")`."""

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


def test_the_owner_sees_only_the_invited_address_of_a_member(owner, api_as, make_user, invite, join):
    member = make_user("nina")
    member.username = member.email
    member.save()
    join(member, invite(owner, "seat@example.org"))

    [seat] = api_as(owner).get(MEMBERS).json()["results"]

    assert seat["user"] == {"id": str(member.pk), "username": "nina", "name": "nina"}
    assert seat["email"] == "seat@example.org"


def test_an_invitation_quotes_only_a_defused_name_of_its_sender(owner, api_as, mailoutbox):
    owner.name = "Your account is locked\r\nBcc: all@example.org https://evil.example/unlock"
    User.objects.filter(pk=owner.pk).update(name=owner.name)

    assert api_as(owner).post(MEMBERS, {"email": "stranger@example.com"}).status_code == 201

    [mail] = mailoutbox
    assert mail.subject == "You are invited to Premium Family"
    assert mail.recipients() == ["stranger@example.com"]
    assert "evil.example" not in mail.body
    assert "Bcc:" not in mail.body
    assert re.findall(r"\S+://\S+", mail.body) == re.findall(r"http://localhost:3000/join\?token=\w+", mail.body)


def test_an_address_gets_at_most_three_invitations_an_hour(owner, api_as, mailoutbox):
    answers = [api_as(owner).post(MEMBERS, {"email": "nina@example.com"}) for _ in range(10)]

    assert [answer.status_code for answer in answers] == [201] * 10
    assert len(mailoutbox) == 3


def test_an_owner_sends_at_most_twenty_invitations_an_hour(owner, api_as, mailoutbox):
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


def test_a_token_lets_one_user_join_once(owner, invite, join, artist, other_artist, current, features, code, api_as):
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
def test_a_wrong_token_is_refused(owner, join, artist, code, token):
    answer = join(artist, token)

    assert (answer.status_code, code(answer)) == (400, "invalid_token")


def test_a_token_with_half_a_surrogate_pair_is_refused(owner, artist, api_as, code):
    answer = api_as(artist).post("/api/subscriptions/join", '{"token": "\\ud800"}', content_type="application/json")

    assert (answer.status_code, code(answer)) == (400, "invalid_token")


def test_after_a_second_invitation_only_the_newer_token_works(owner, invite, join, artist, code, current):
    old, new = invite(owner, "nina@example.com"), invite(owner, "NINA@example.com")

    assert code(join(artist, old)) == "invalid_token"
    assert join(artist, new).status_code == 200
    assert current(owner)["members_used"] == 2


def test_an_invitation_beyond_the_last_seat_is_refused(stripe, subscribe, plans, listener, api_as, invite, code):
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


def test_a_member_can_leave(owner, with_member, artist, api_as, features, current, code):
    with_member(owner, artist)

    assert api_as(artist).post("/api/subscriptions/leave").status_code == 204

    assert not features(artist)["ad_free"]
    assert current(owner)["members_used"] == 1
    assert code(api_as(artist).post("/api/subscriptions/leave")) == "no_subscription"


def test_the_owner_can_remove_a_member(owner, with_member, artist, api_as, features, mailoutbox):
    seat = with_member(owner, artist)

    assert api_as(owner).delete(f"{MEMBERS}/{seat.pk}").status_code == 204

    assert not features(artist)["ad_free"]
    assert (mailoutbox[-1].subject, mailoutbox[-1].to) == ("Your seat on Premium Family", ["artist@example.com"])
    assert api_as(owner).delete(f"{MEMBERS}/{seat.pk}").status_code == 404


def test_another_owners_seats_are_404(owner, with_member, artist, other_artist, subscribe, plans, api_as):
    seat = with_member(owner, artist)
    subscribe(other_artist, plans.duo)

    for stranger in (other_artist, artist):
        assert api_as(stranger).delete(f"{MEMBERS}/{seat.pk}").status_code == 404
        assert api_as(stranger).patch(f"{MEMBERS}/{seat.pk}", {"is_child": True}).status_code == 404
    assert Membership.objects.get() == seat
    assert api_as(owner).delete(f"{MEMBERS}/nonsense").status_code == 404


def test_the_owner_can_mark_a_member_as_a_child(owner, with_member, artist, api_as):
    seat = with_member(owner, artist)

    answer = api_as(owner).patch(f"{MEMBERS}/{seat.pk}", {"is_child": True, "email": "else@example.com"})

    assert (answer.status_code, answer.json()["is_child"]) == (200, True)
    seat.refresh_from_db()
    assert (seat.is_child, seat.email) == (True, "artist@example.com")


def test_a_repeated_invitation_is_still_for_a_child(owner, invite, join, artist, api_as):
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


def test_a_checkout_page_opened_before_joining_does_not_free_a_child(owner, with_member, artist, api_as, stripe, plans):
    url = api_as(artist).post("/api/subscriptions/checkout", {"plan_id": str(plans.individual.pk)}).json()["url"]
    seat = with_member(owner, artist, is_child=True)

    stripe.check_out(url)
    stripe.catch_up()

    seat.refresh_from_db()
    assert seat.user == artist


def test_members_cannot_list_the_plans_members(owner, with_member, artist, api_as):
    with_member(owner, artist)

    assert api_as(artist).get(MEMBERS).status_code == 403


def test_a_subscriber_cannot_join_and_a_member_cannot_subscribe(
    owner, invite, join, with_member, artist, other_artist, subscribe, plans, code
):
    subscribe(artist, plans.individual)
    answer = join(artist, invite(owner, "nina@example.com"))
    assert (answer.status_code, code(answer)) == (400, "already_subscribed")
    assert code(join(owner, invite(owner, "me@example.com"))) == "already_subscribed"

    with_member(owner, other_artist)
    answer = subscribe(other_artist, plans.individual)
    assert (answer.status_code, code(answer)) == (400, "already_member")


def test_a_user_can_be_on_one_plan_only(owner, with_member, invite, join, artist, other_artist, subscribe, plans, code):
    subscribe(other_artist, plans.duo)
    with_member(owner, artist)

    assert code(join(artist, invite(other_artist, "nina@example.com"))) == "already_member"


def test_members_lose_their_seats_when_the_owners_plan_ends(
    owner, with_member, artist, stripe, api_as, features, mailoutbox
):
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


def test_switching_to_a_plan_with_too_few_seats_is_refused(
    owner, with_member, invite, artist, subscribe, plans, code, current
):
    with_member(owner, artist)
    invite(owner, "sam@example.com")

    for plan in (plans.duo, plans.individual):
        answer = subscribe(owner, plan)
        assert (answer.status_code, code(answer)) == (400, "too_many_members")
    assert current(owner)["plan"] == "family"


def test_members_stay_when_the_new_plan_has_enough_seats(owner, with_member, artist, subscribe, plans, features):
    with_member(owner, artist)

    assert subscribe(owner, plans.duo).status_code == 200
    assert features(artist)["ad_free"]


def test_a_smaller_plan_chosen_at_stripe_ends_invitations_and_the_newest_members(
    owner, with_member, invite, artist, other_artist, stripe, subscribe, plans, make_user, features, mailoutbox
):
    with_member(owner, artist)
    with_member(owner, other_artist)
    invite(owner, "sam@example.com")
    subscribe(make_user("somebody"), plans.duo)  # so that its price exists at Stripe
    plans.duo.refresh_from_db()
    [there] = [sub for sub in stripe.subscriptions() if sub["items"]["data"][0]["price"]["unit_amount"] == 1699]

    items = [{"id": there["items"]["data"][0]["id"], "price": plans.duo.stripe_price_id}]
    stripe.post(f"/v1/subscriptions/{there['id']}", items=items)
    stripe.catch_up()

    assert [seat.user for seat in Membership.objects.all()] == [artist]
    assert (features(artist)["ad_free"], features(other_artist)["ad_free"]) == (True, False)
    assert [mail.to for mail in mailoutbox if mail.subject.startswith("Your seat")] == [["other@example.com"]]


def test_the_list_takes_as_many_queries_for_five_members_as_for_one(owner, with_member, make_user, api_as):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert api_as(owner).get(MEMBERS).status_code == 200
        return len(captured.captured_queries)

    with_member(owner, make_user("m0"))
    one = queries()
    for number in range(1, 5):
        with_member(owner, make_user(f"m{number}"))
    assert queries() == one
