"""The base of all objects: id, Stripe's fields, localstripe's store, expansion, lists and events."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from localstripe import resources
from localstripe.errors import UserError

API_VERSION = "2026-08-26.dahlia"
ROUTES: list[tuple[str, str, Callable]] = []
store = resources.store
# localstripe would write a pickle after each change.
resources.Store.dump_to_disk = lambda store: None

idempotency_key: ContextVar[str | None] = ContextVar("idempotency_key", default=None)
emitted: list[Callable] = []  # who wants to hear of events


def route(method: str, path: str):
    def keep(function):
        ROUTES.append((method, path, function))
        return function

    return keep


class Refused(UserError):
    """An error response of Stripe: a message, and a code and parameter for programs."""

    def __init__(self, message: str, *, status=400, type="invalid_request_error", **details) -> None:
        super().__init__(status, message, details)
        self.body["error"]["type"] = type


def unknown_parameters(names) -> Refused:
    name = sorted(names)[0]
    return Refused(f"Received unknown parameter: {name} (or one that this stand-in lacks)",
                   code="parameter_unknown", param=name)  # fmt: skip


@cache
def stripe_source() -> Path:
    return Path(find_spec("stripe").origin).parent


@cache
def declared_fields(module: str) -> dict[str, str]:
    """Return field names with the first word of their types, from the library's source: importing it takes a second."""
    text = (stripe_source() / module).read_text()
    return dict(re.findall(r"^    ([a-z]\w*): (\w+)", text, re.MULTILINE))


def empty_fields(module: str) -> dict:
    empty = {"Optional": None, "bool": False, "List": []}
    return {name: deepcopy(empty[kind]) for name, kind in declared_fields(module).items() if kind in empty}


def plain(value):
    if isinstance(value, StripeObject):
        return value.shown()
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def list_of(things: list, url: str) -> dict:
    return {"object": "list", "data": things, "has_more": False, "total_count": len(things), "url": url}


class StripeObject(resources.StripeObject):
    module = ""  # the file of stripe-python that declares the fields
    on_request: tuple[str, ...] = ()  # fields that Stripe shows only when they are expanded

    def __init__(self, id: str | None = None, **fields) -> None:
        super().__init__(id)
        never_null = {"deleted", *self.on_request}
        empty = {name: value for name, value in empty_fields(self.module).items() if name not in never_null}
        vars(self).update(empty | fields)

    @classmethod
    def topic(cls) -> str:
        return cls.object

    @classmethod
    def all(cls) -> list:
        return [thing for thing in store.values() if type(thing) is cls]

    @classmethod
    def get(cls, id: str, *, param: str = "id"):
        """Return the object. Refuse with 400 if a parameter names a missing one, with 404 if the address does."""
        thing = store.get(f"{cls.object}:{id}")
        if thing is None:
            words = cls.object.split(".")[-1].replace("_", " ") if cls.object != "payment_method" else "PaymentMethod"
            raise Refused(f"No such {words}: '{id}'", status=404 if param == "id" else 400,
                          code="resource_missing", param=param)  # fmt: skip
        return thing

    def shown(self, expand: list[str] | tuple = ()) -> dict:
        fields = {name: plain(value) for name, value in vars(self).items() if not name.startswith("_")}
        data = {"object": self.object, **fields}
        for path in expand or ():
            expand_path(data, path)
        return data

    def shown_on_request(self, name: str):
        return None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Emit an `updated` event for what the block changes, with the previous values."""
        before = self.shown()
        yield
        after = self.shown()
        previous = {name: value for name, value in before.items() if after.get(name) != value}
        if previous:
            emit(f"{self.topic()}.updated", self, previous)

    def change(self, **fields) -> None:
        with self.changing():
            if "metadata" in fields:
                fields["metadata"] = merged(self.metadata, fields["metadata"])
            vars(self).update(fields)

    def matches(self, name: str, value) -> bool:
        if name == "created":
            compare = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
            bounds = value if isinstance(value, dict) else {"gte": value, "lte": value}
            return all(compare[bound](self.created, moment) for bound, moment in bounds.items())
        if name == "ids":
            return self.id in value
        return getattr(self, name, None) == value


def kind_of(id: str, among: type[StripeObject] = StripeObject) -> type[StripeObject] | None:
    """Return the class whose ids begin like this one."""
    for kind in among.__subclasses__():
        if id.startswith(getattr(kind, "_id_prefix", "?")):
            return kind
        if deeper := kind_of(id, kind):
            return deeper
    return None


def merged(old: dict, new: dict | None) -> dict:
    both = old | new if new else {}
    return {name: value for name, value in both.items() if value != ""}


def expand_path(data, path: str) -> None:
    if isinstance(data, list):
        for part in data:
            expand_path(part, path)
        return
    name, _, rest = path.partition(".")
    if name not in data and (kind := kind_of(str(data.get("id")))):
        if name not in declared_fields(kind.module):
            raise Refused(f"This property cannot be expanded ({name}).", param="expand")
        value = plain(kind.get(data["id"]).shown_on_request(name))
        if value is not None:
            data[name] = value
    value = data.get(name)
    if isinstance(value, str) and (kind := kind_of(value)):
        value = data[name] = kind.get(value).shown()
    if rest and isinstance(value, dict | list):
        expand_path(value, rest)


def page(things: list, *, url: str, limit=10, starting_after=None, ending_before=None) -> dict:
    """Return a page of a list, newest first."""
    things = things[::-1]
    ids = [thing.id for thing in things]
    if starting_after:
        things = things[ids.index(starting_after) + 1 :] if starting_after in ids else []
    elif ending_before:
        things = things[: ids.index(ending_before)][-limit:] if ending_before in ids else []
    return list_of(things[:limit], url) | {"has_more": len(things) > limit}


CLAUSE = re.compile(r"""-?(\w+)(?:\[["'](.+?)["']\])?\s*[:~]\s*["']?([^"']*)["']?(?:\s+AND\s+|$)""")


def found(things: list, query: str) -> list:
    """Return the objects that match a search: `email:"a@b.c" AND metadata["user"]:"7"`."""
    for field, key, value in CLAUSE.findall(query):
        things = [t for t in things if str((getattr(t, field) or {}).get(key) if key else getattr(t, field)) == value]
    return things


def readable(
    cls: type[StripeObject], path: str, *, by: tuple[str, ...] = (), one: bool = True, lists: bool = True
) -> None:
    """Register GET endpoints for one object, for the list filtered by these fields, and for the search."""

    def listed(limit=10, starting_after=None, ending_before=None, **filters):
        if unknown := set(filters) - {"created", *by}:
            raise unknown_parameters(unknown)
        things = [thing for thing in cls.all() if all(thing.matches(*pair) for pair in filters.items())]
        return page(things, url=path, limit=limit, starting_after=starting_after, ending_before=ending_before)

    def searched(query, limit=10, page=None):
        return list_of(found(cls.all(), query)[::-1][:limit], path) | {"object": "search_result", "next_page": None}

    route("GET", path + "/search")(searched)
    if lists:
        route("GET", path)(listed)
    if one:
        route("GET", path + "/{id}")(lambda id: cls.get(id))


class Event(StripeObject):
    object = "event"
    _id_prefix = "evt_"
    module = "_event.py"

    def matches(self, name, value):
        return self.type in value if name == "types" else super().matches(name, value)


def emit(type: str, about: StripeObject | dict, previous: dict | None = None) -> None:
    data = {"object": plain(about)} | ({"previous_attributes": previous} if previous else {})
    request = {"id": "req_" + resources.random_id(14), "idempotency_key": idempotency_key.get()}
    event = Event(type=type, data=data, api_version=API_VERSION, pending_webhooks=0, request=request)
    del event.account, event.context
    for hear in emitted:
        hear(event)


readable(Event, "/v1/events", by=("type", "types", "delivery_success"))
# What localstripe keeps by itself (coupons, tax rates) tells of itself in the same way.
resources.Event = lambda type, about: (type, about._export())
resources.schedule_webhook = lambda event: emit(*event)
