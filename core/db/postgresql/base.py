"""Django's PostgreSQL backend with a cheaper liveness check and prepared statements."""

import select
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

from django.db import NotSupportedError
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg2.extensions import AsIs

from core.db.compiled import Param, Statement

# Each takes about 70 kB of the server's memory, for every connection.
MAX_PREPARED = 100


class Execution(str):
    """The SQL that executes a prepared statement; `statement_sql` is the SQL that was prepared, for logs."""

    statement_sql: str


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict) -> Any:
        self.prepared: OrderedDict[Statement, Execution] = OrderedDict()
        return super().get_new_connection(conn_params)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            # One plan for all values. By default PostgreSQL would plan a page after a cursor each time.
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            # Compiling a statement to machine code takes longer than running any of ours.
            cursor.execute("SET jit = off")
        if not self.get_autocommit():
            self.connection.commit()

    def is_usable(self) -> bool:
        """Return whether the connection is alive, without a query.

        A server that shuts down sends a message or closes the socket, and between queries nothing else arrives: so
        anything to read means that the connection is dead. Django's SELECT 1 takes a fifth of the time of a page.
        """
        if self.connection is None or self.connection.closed:
            return False
        incoming = select.poll()
        incoming.register(self.connection.fileno(), select.POLLIN)
        return not incoming.poll(0)

    def execute_prepared(self, cursor: CursorWrapper, statement: Statement, values: Mapping[Hashable, Any]) -> None:
        """Run a statement as a prepared one: planning most of ours takes longer than running them."""
        # A pooler may lend another connection next time, which does not have the prepared statement.
        if self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:
            return statement.execute(cursor, values)
        try:
            if statement not in self.prepared:
                self.prepared[statement] = self._prepare(cursor, statement)
                if len(self.prepared) > MAX_PREPARED:
                    _, oldest = self.prepared.popitem(last=False)
                    cursor.cursor.execute(f"DEALLOCATE {oldest.split()[1]}")
            self.prepared.move_to_end(statement)
            cursor.execute(self.prepared[statement], list(values.values()))
        except NotSupportedError:  # "cached plan must not change result type": a migration changed a column
            # In a transaction the error has aborted everything, so a second try would fail as well.
            if self.in_atomic_block:
                raise
            self.prepared.clear()
            cursor.execute("DEALLOCATE ALL")
            statement.execute(cursor, values)

    def _prepare(self, cursor: CursorWrapper, statement: Statement) -> Execution:
        """Prepare a statement with a numbered parameter for each Param.

        Its constants stay in the SQL, because the planner can match only constants with the condition of a partial
        index.
        """
        number_of = {name: AsIs(f"${number}") for number, name in enumerate(statement.places, start=1)}
        parameters = [number_of[each.name] if isinstance(each, Param) else each for each in statement.parameters]
        name = f"compiled_{id(statement)}"
        with self.wrap_database_errors:
            cursor.cursor.execute(f"PREPARE {name} AS {statement.sql}", parameters)
        values = ", ".join(["%s"] * len(statement.places))
        execution = Execution(f"EXECUTE {name} ({values})" if values else f"EXECUTE {name}")
        execution.statement_sql = statement.sql
        return execution
