"""SQL that is kept: the same rows as the QuerySet has, for whatever values come."""

import pytest
from django.db import connection
from django.db.models import CharField, F, IntegerField, UUIDField
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext

from core.db.compiled import MOST_STATEMENTS, ArrayOf, CompiledQuery, IsInArray, Param
from users.models import User

by_name = Param("name", CharField())


@pytest.fixture
def users(db):
    return [User.objects.create_user(f"{name}@example.com", name) for name in ("ann", "bo", "100% c")]


@pytest.fixture
def kept():
    return CompiledQuery(User.objects.values_list("pk", "username", "is_staff", "role", "date_joined", named=True))


def test_each_use_brings_its_own_values(kept, users):
    for user in users:
        [row] = kept.read("named", lambda users: users.filter(username=by_name), {"name": user.username})
        assert row == (user.pk, user.username, False, user.role, user.date_joined)
    assert kept.read("named", lambda users: users.filter(username=by_name), {"name": "nobody"}) == []


def test_constants_and_values_do_not_mix(kept, users):
    def like(users):
        return users.filter(username=by_name, email__contains="%", is_staff=False)

    assert [row.pk for row in kept.read("like", like, {"name": "100% c"})] == [users[2].pk]
    assert kept.read("like", like, {"name": "ann"}) == []

    def starts(users):
        return users.filter(username__startswith="100%", pk=Param("pk", UUIDField()))

    assert [row.pk for row in kept.read("starts", starts, {"pk": users[2].pk})] == [users[2].pk]
    assert kept.read("starts", starts, {"pk": users[0].pk}) == []


def test_one_place_takes_any_number_of_numbers(users):
    kept = CompiledQuery(User.objects.annotate(length=Length("username")).values_list("username", named=True))

    def of_length(users):
        return users.filter(IsInArray(F("length"), Param("lengths", ArrayOf(IntegerField()))))

    assert kept.read("lengths", of_length, {"lengths": []}) == []
    assert [row.username for row in kept.read("lengths", of_length, {"lengths": [2]})] == ["bo"]
    assert len(kept.read("lengths", of_length, {"lengths": [2, 3, 6, 7, 8]})) == 3


def test_the_sql_is_made_once(kept, users):
    made = []

    def make(users):
        return made.append(1) or users.filter(username=by_name)

    for _ in range(3):
        kept.read("once", make, {"name": "ann"})
    assert made == [1]


def test_statements_that_are_not_asked_for_are_forgotten(kept, users):
    for number in range(MOST_STATEMENTS + 10):
        kept.read("often", lambda users: users.filter(username=by_name), {"name": "ann"})
        kept.read(number, lambda users, number=number: users.order_by("pk")[: number + 1], {})
    assert len(kept.statements) == MOST_STATEMENTS
    assert "often" in kept.statements
    assert len(kept.read(0, lambda users: users.order_by("pk")[:1], {})) == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'")
class TestOnPostgreSQL:
    def test_it_is_planned_once_for_a_connection(self, kept, users):
        def read(name):
            return kept.read("named", lambda users: users.filter(username=by_name), {"name": name})

        read("ann")
        with CaptureQueriesContext(connection) as queries:
            read("bo")
        assert queries.captured_queries[0]["sql"].startswith("EXECUTE kept_")

    def test_behind_a_pooler_nothing_is_left_at_the_connection(self, kept, users, monkeypatch):
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
        with CaptureQueriesContext(connection) as queries:
            kept.read("pooled", lambda users: users.filter(username=by_name), {"name": "bo"})
        assert queries.captured_queries[0]["sql"].startswith("SELECT")


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
def test_a_migration_that_changes_a_column_under_a_running_server_breaks_nothing(kept, db):
    User.objects.create_user("ann@example.com", "ann")

    def read():
        return [row.username for row in kept.read("all", lambda users: users, {})]

    try:
        assert read() == ["ann"]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE users_user ALTER role TYPE varchar(20)")
        assert read() == read() == ["ann"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE users_user ALTER role TYPE varchar(10)")
