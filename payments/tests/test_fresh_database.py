"""dj-stripe's tables, created from its models in an empty database, as the test database is one."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from payments.stripe.fresh_database import is_empty

pytestmark = pytest.mark.django_db


def models_of_djstripe():
    return [
        model
        for model in apps.get_app_config("djstripe").get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


def test_every_model_has_its_table_with_every_column():
    assert len(models_of_djstripe()) > 30
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for model in models_of_djstripe():
            assert model._meta.db_table in tables
            columns = connection.introspection.get_table_description(cursor, model._meta.db_table)
            assert {column.name for column in columns} == {field.column for field in model._meta.local_concrete_fields}


def test_its_migrations_are_recorded_as_applied():
    of_djstripe = {key for key in MigrationLoader(connection).disk_migrations if key[0] == "djstripe"}
    assert of_djstripe
    assert of_djstripe <= MigrationRecorder(connection).applied_migrations().keys()


def test_nothing_is_left_to_migrate():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
    output = io.StringIO()
    call_command("migrate", interactive=False, stdout=output)
    assert "No migrations to apply." in output.getvalue()
    assert "Making the tables" not in output.getvalue()


def test_an_existing_database_is_migrated_by_djstripes_migrations():
    assert not is_empty(connection)
