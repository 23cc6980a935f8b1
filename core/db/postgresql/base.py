"""PostgreSQL as Django has it, but for how a connection is told to be good still, and for kept statements."""

import select
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

from django.db import NotSupportedError
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg2.extensions import AsIs

from core.db.compiled import Param, Statement

# Each takes about 70 kB of the server's memory in every connection.
MOST_PREPARED = 100


class Execution(str):
    """EXECUTE of a prepared statement, which says what it stands for."""

    meaning: str


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict) -> Any:
        self.prepared: OrderedDict[Statement, Execution] = OrderedDict()
        return super().get_new_connection(conn_params)

    def init_connection_state(self) -> None:
        super().init_connection_state()
        with self.connection.cursor() as cursor:
            # One plan for every value. Left to itself PostgreSQL plans a page of a cursor anew each time.
            cursor.execute("SET plan_cache_mode = force_generic_plan")
            # To compile a statement takes longer than any of ours.
            cursor.execute("SET jit = off")
        if not self.get_autocommit():
            self.connection.commit()

    def is_usable(self) -> bool:
        """A server that goes away says so or closes the socket, and between queries nothing else is there to be read.

        Django sends SELECT 1, which is a fifth of what a page of songs takes.
        """
        if self.connection is None or self.connection.closed:
            return False
        incoming = select.poll()
        incoming.register(self.connection.fileno(), select.POLLIN)
        return not incoming.poll(0)

    def execute_prepared(self, cursor: CursorWrapper, statement: Statement, values: Mapping[Hashable, Any]) -> None:
        """Runs it as a prepared statement: to plan one of ours takes longer than to do it."""
        if self.settings_dict["DISABLE_SERVER_SIDE_CURSORS"]:  # a pooler may lend another connection the next time
            return statement.execute(cursor, values)
        try:
            cursor.execute(self._execution_of(cursor, statement), list(values.values()))
        except NotSupportedError:  # a migration changed the type of a column
            if self.in_atomic_block:
                raise
            self.prepared.clear()
            cursor.execute("DEALLOCATE ALL")
            statement.execute(cursor, values)

    def _execution_of(self, cursor: CursorWrapper, statement: Statement) -> Execution:
        if statement not in self.prepared:
            self.prepared[statement] = self._prepare(cursor, statement)
            if len(self.prepared) > MOST_PREPARED:
                _, oldest = self.prepared.popitem(last=False)
                cursor.cursor.execute(f"DEALLOCATE {oldest.split()[1]}")
        self.prepared.move_to_end(statement)
        return self.prepared[statement]

    def _prepare(self, cursor: CursorWrapper, statement: Statement) -> Execution:
        """Constants stay constants in the plan, which a partial index may need; what is given has a number."""
        number_of = {name: AsIs(f"${number}") for number, name in enumerate(statement.places, start=1)}
        parameters = [number_of[each.name] if isinstance(each, Param) else each for each in statement.parameters]
        name = f"kept_{id(statement)}"
        with self.wrap_database_errors:
            cursor.cursor.execute(f"PREPARE {name} AS {statement.sql}", parameters)
        values = ", ".join(["%s"] * len(statement.places))
        execution = Execution(f"EXECUTE {name} ({values})" if values else f"EXECUTE {name}")
        execution.meaning = statement.sql
        return execution
