"""Creation of dj-stripe's tables in an empty database, in seconds instead of a minute.

dj-stripe's migrations render the state of every model at each of 523 operations. An empty database gets the same
tables straight from the models instead (only the ids of three join tables are narrower), and the migrations are
recorded as applied.
"""

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "djstripe"


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    return not MigrationRecorder(connection).applied_migrations()


def create_tables(connection: BaseDatabaseWrapper) -> None:
    """Create dj-stripe's tables and record its migrations as applied, both in one transaction."""
    with connection.schema_editor(atomic=True) as editor:
        for model in apps.get_app_config(APP).get_models():
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in MigrationLoader(connection).disk_migrations:
            if app == APP:
                recorder.record_applied(app, name)
