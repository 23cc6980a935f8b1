"""Compiled queries return the rows of their QuerySet, for whatever values they are given."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import CharField, DateTimeField, F, IntegerField, Q, UUIDField
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.db.compiled import MAX_STATEMENTS, ArrayOf, CompiledQuery, FrozenValueError, IsInArray, Param
from users.models import User

by_name = Param("name", CharField())


@pytest.fixture
def users(db):
    return [User.objects.create_user(f"{name}@example.com", name) for name in ("ann", "bo", "100% c")]


@pytest.fixture
def compiled():
    return CompiledQuery(User.objects.values_list("pk", "username", "is_staff", "role", "date_joined", named=True))


def test_params_take_the_values_of_each_use(compiled, users):
    for user in users:
        [row] = compiled.read("named", lambda users: users.filter(username=by_name), {"name": user.username})
        assert row == (user.pk, user.username, False, user.role, user.date_joined)
    assert compiled.read("named", lambda users: users.filter(username=by_name), {"name": "nobody"}) == []


def test_constants_stand_beside_params(compiled, users):
    def like(users):
        return users.filter(username=by_name, email__contains="%", is_staff=False)

    assert [row.pk for row in compiled.read("like", like, {"name": "100% c"})] == [users[2].pk]
    assert compiled.read("like", like, {"name": "ann"}) == []

    def starts(users):
        return users.filter(username__startswith="100%", pk=Param("pk", UUIDField()))

    assert [row.pk for row in compiled.read("starts", starts, {"pk": users[2].pk})] == [users[2].pk]
    assert compiled.read("starts", starts, {"pk": users[0].pk}) == []


def test_an_array_param_takes_any_number_of_items(users):
    compiled = CompiledQuery(User.objects.annotate(length=Length("username")).values_list("username", named=True))

    def of_length(users):
        return users.filter(IsInArray(F("length"), Param("lengths", ArrayOf(IntegerField()))))

    assert compiled.read("lengths", of_length, {"lengths": []}) == []
    assert [row.username for row in compiled.read("lengths", of_length, {"lengths": [2]})] == ["bo"]
    assert len(compiled.read("lengths", of_length, {"lengths": [2, 3, 6, 7, 8]})) == 3


def test_the_sql_is_compiled_once(compiled, users):
    made = []

    def make(users):
        return made.append(1) or users.filter(username=by_name)

    for _ in range(3):
        compiled.read("once", make, {"name": "ann"})
    assert made == [1]


def test_the_least_recently_used_statements_are_dropped(compiled, users):
    for number in range(MAX_STATEMENTS + 10):
        compiled.read("often", lambda users: users.filter(username=by_name), {"name": "ann"})
        compiled.read(number, lambda users, number=number: users.order_by("pk")[: number + 1], {})
    assert len(compiled.statements) == MAX_STATEMENTS
    assert "often" in compiled.statements
    assert len(compiled.read(0, lambda users: users.order_by("pk")[:1], {})) == 1


NOW = timezone.now()


@pytest.mark.parametrize(
    "frozen",
    [
        Q(date_joined__lt=NOW),
        Q(date_joined__lt=NOW.replace(microsecond=0)),
        Q(date_joined__date=NOW.date()),
        Q(pk=uuid4()),
        Q(groups__in=Group.objects.filter(user__date_joined__lt=NOW)),
    ],
)
def test_a_time_a_date_or_an_id_cannot_be_frozen_in_the_sql(compiled, users, frozen):
    with pytest.raises(FrozenValueError, match="Put a Param in its place"):
        compiled.read("frozen", lambda users: users.filter(frozen), {})


def test_a_time_may_be_a_param(compiled, users):
    moment = Param("moment", DateTimeField())
    for given, expected in ((NOW - timedelta(days=1), 0), (NOW + timedelta(days=1), 3)):
        rows = compiled.read("joined", lambda users: users.filter(date_joined__lt=moment), {"moment": given})
        assert len(rows) == expected


@pytest.mark.skipif("connection.vendor != 'postgresql'")
class TestOnPostgreSQL:
    def test_a_statement_is_prepared_once_for_a_connection(self, compiled, users):
        def read(name):
            return compiled.read("named", lambda users: users.filter(username=by_name), {"name": name})

        read("ann")
        with CaptureQueriesContext(connection) as queries:
            read("bo")
        assert queries.captured_queries[0]["sql"].startswith("EXECUTE compiled_")

    def test_behind_a_pooler_no_statement_is_prepared(self, compiled, users, monkeypatch):
        monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
        with CaptureQueriesContext(connection) as queries:
            compiled.read("pooled", lambda users: users.filter(username=by_name), {"name": "bo"})
        assert queries.captured_queries[0]["sql"].startswith("SELECT")


@pytest.mark.skipif("connection.vendor != 'postgresql'")
@pytest.mark.django_db(transaction=True)
def test_a_column_type_changed_by_a_migration_does_not_break_a_running_server(compiled, db):
    User.objects.create_user("ann@example.com", "ann")

    def read():
        return [row.username for row in compiled.read("all", lambda users: users, {})]

    try:
        assert read() == ["ann"]
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE users_user ALTER role TYPE varchar(20)")
        assert read() == read() == ["ann"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE users_user ALTER role TYPE varchar(10)")
