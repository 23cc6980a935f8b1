"""dj-stripe's tables for a brand-new database in seconds instead of a minute.

Its migrations render the state of every model at each of 523 operations. Where there is nothing to migrate yet, its
models give the same tables at once (only the ids of three join tables are narrower), and its migrations are
recorded as applied.
"""

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APP = "djstripe"


def is_brand_new(connection: BaseDatabaseWrapper) -> bool:
    return not MigrationRecorder(connection).applied_migrations()


def make_tables(connection: BaseDatabaseWrapper) -> None:
    """All or nothing: either dj-stripe's tables and the record of its migrations, or neither."""
    with connection.schema_editor(atomic=True) as editor:
        for model in apps.get_app_config(APP).get_models():
            if model._meta.managed and not model._meta.proxy:
                editor.create_model(model)
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in MigrationLoader(connection).disk_migrations:
            if app == APP:
                recorder.record_applied(app, name)
