"""The stand-in for Stripe, a separate program: localstripe with current billing, a clock and faults.

python -m demo.stripe.server --port 12111 --webhook http://127.0.0.1:8000/api/stripe/webhook --secret whsec_...
"""

import argparse
import asyncio
import hashlib
import hmac
import inspect
import json
import logging
import time

import aiohttp
from aiohttp import web
from localstripe.errors import UserError
from localstripe.resources import Coupon, TaxRate
from localstripe.server import api_create, api_list_all, api_retrieve, get_api_key, get_post_data, unflatten_data

from . import clock, hosted, invoices, objects
from .objects import API_VERSION, ROUTES, Event, Refused, StripeObject, readable, resources, route, store

WHOLE_NUMBERS = {
    "amount", "balance", "cancel_at", "created", "expires_at", "gt", "gte", "interval_count", "limit", "lt", "lte",
    "proration_date", "quantity", "trial_end", "trial_period_days", "unit_amount",
}  # fmt: skip
YES_OR_NO = {
    "active", "allow_promotion_codes", "cancel_at_period_end", "confirm", "deleted", "delivery_success", "invoice_now",
    "off_session", "prorate", "succeed", "transfer_lookup_key",
}  # fmt: skip
MOMENTS_BY_NAME = ("now", "min_period_end", "max_period_end")
NO_FAULT = {"mode": "", "seconds": 30.0, "times": 0, "only": ""}
fault = dict(NO_FAULT)
answers: dict[str, tuple] = {}  # idempotency key: when, what was asked, and the answer
deliveries: list[dict] = []
being_sent: set[asyncio.Task] = set()
sender: aiohttp.ClientSession
standing_webhook: dict = {}


def typed(params, name: str = ""):
    """Convert form values, which are text, to their types; metadata stays text, and an empty text unsets a value."""
    if name == "metadata":
        return params or {}
    if isinstance(params, dict):
        return {key: typed(value, key) for key, value in params.items()}
    if isinstance(params, list):
        return [typed(value, name) for value in params]
    if params == "":
        return None
    if name in YES_OR_NO and params in ("true", "false", "True", "False"):
        return params.lower() == "true"
    if name in WHOLE_NUMBERS and isinstance(params, str) and params not in MOMENTS_BY_NAME:
        try:
            return int(params)
        except ValueError:
            raise Refused(f"Invalid integer: {params}", code="parameter_invalid_integer", param=name) from None
    return params


def from_a_page(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def checked_call(function, params: dict):
    accepted = inspect.signature(function).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()) and (unknown := set(params) - set(accepted)):
        raise objects.unknown_parameters(unknown)
    for name, parameter in accepted.items():
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD and name not in params:
            raise Refused(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return function(**params)


def endpoint(function):
    async def answer(request: web.Request) -> web.Response:
        form = await get_post_data(request) if request.method == "POST" else {}
        params = typed(unflatten_data(request.query) | dict(form or {})) | dict(request.match_info)
        expand = params.pop("expand", ())
        clock.advance()
        result = checked_call(function, params)
        if from_a_page(request):
            raise web.HTTPSeeOther(hosted.where_to(result) or request.path)
        shown = result.shown(expand) if isinstance(result, StripeObject) else objects.plain(result)
        if not isinstance(result, StripeObject):
            for path in expand:
                objects.expand_path(shown, path)
        return web.json_response(shown)

    return answer


@web.middleware
async def refusals(request: web.Request, handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except UserError as error:
        if request.method == "POST" and from_a_page(request):
            raise web.HTTPSeeOther(hosted.with_error(request.path, error.body["error"]["message"])) from None
        return web.json_response(error.body, status=error.code)
    except web.HTTPException as error:
        if error.status in (404, 405):
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            return web.json_response({"error": {"type": "invalid_request_error", "message": message}}, status=404)
        raise


@web.middleware
async def keys(request: web.Request, handler) -> web.StreamResponse:
    if request.path.startswith("/v1/") and get_api_key(request) is None:
        message = "You did not provide an API key."
        return web.json_response({"error": {"type": "invalid_request_error", "message": message}}, status=401)
    return await handler(request)


@web.middleware
async def faults(request: web.Request, handler) -> web.StreamResponse:
    """Inject the fault. down, hang, 500, 429: nothing is done. lost, slow: it is done, and not answered or late."""
    mode, seconds = fault["mode"], fault["seconds"]
    if not request.path.startswith("/v1/") or not mode or fault["only"] not in f"{request.method} {request.path}":
        return await handler(request)
    if fault["times"]:
        fault.update(NO_FAULT if fault["times"] == 1 else {"times": fault["times"] - 1})
    if mode in ("500", "429"):
        kind = "api_error" if mode == "500" else "invalid_request_error"
        return web.json_response({"error": {"type": kind, "message": f"Error {mode}, as asked."}}, status=int(mode))
    response = await handler(request) if mode in ("lost", "slow") else None
    if mode in ("slow", "hang"):
        await asyncio.sleep(seconds)
    if mode == "slow":
        return response
    request.transport.abort()
    raise web.HTTPServiceUnavailable


@web.middleware
async def idempotency(request: web.Request, handler) -> web.StreamResponse:
    """Return the stored answer for a key that is repeated within a day, and an error if its request differs."""
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or not key or not request.path.startswith("/v1/"):
        return await handler(request)
    asked = (request.path, await request.read())
    if key in answers and answers[key][0] > clock.now() - clock.DAY:
        _, before, status, body = answers[key]
        if before != asked:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
            )
            return web.json_response({"error": {"type": "idempotency_error", "message": message}}, status=400)
        return web.Response(body=body, status=status, content_type="application/json",
                            headers={"Idempotent-Replayed": "true"})  # fmt: skip
    token = objects.idempotency_key.set(key)
    try:
        response = await handler(request)
    finally:
        objects.idempotency_key.reset(token)
    # As at Stripe, what was refused before anything ran is not kept.
    if response.status < 300 or response.status == 402:
        answers[key] = (clock.now(), asked, response.status, response.body)
    return response


# Webhooks


class WebhookEndpoint(StripeObject):
    object = "webhook_endpoint"
    _id_prefix = "we_"
    module = "_webhook_endpoint.py"

    def wants(self, event: Event) -> bool:
        return self.status == "enabled" and bool({"*", event.type} & set(self.enabled_events))


@route("POST", "/v1/webhook_endpoints")
def create_endpoint(url, enabled_events, description=None, metadata=None, api_version=None, secret=None, connect=None):
    """Create an endpoint and show its secret once. It may be given, so that `.env` can have it beforehand."""
    made = WebhookEndpoint(url=url, enabled_events=enabled_events, description=description, metadata=metadata or {},
                           api_version=api_version, status="enabled")  # fmt: skip
    made._secret = secret or "whsec_" + resources.random_id(32)
    return made.shown() | {"secret": made._secret}


@route("POST", "/v1/webhook_endpoints/{id}")
def update_endpoint(id, disabled=None, **fields) -> WebhookEndpoint:
    if unknown := set(fields) - {"url", "enabled_events", "description", "metadata"}:
        raise objects.unknown_parameters(unknown)
    vars(WebhookEndpoint.get(id)).update(fields)
    return WebhookEndpoint.get(id)


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete_endpoint(id) -> dict:
    WebhookEndpoint.get(id)
    del store[f"webhook_endpoint:{id}"]
    return {"id": id, "object": "webhook_endpoint", "deleted": True}


def send_to_endpoints(event: Event) -> None:
    for receiver in WebhookEndpoint.all():
        if receiver.wants(event):
            event.pending_webhooks += 1
            task = asyncio.create_task(post_until_taken(event, receiver))
            being_sent.add(task)
            task.add_done_callback(being_sent.discard)


def signature(body: bytes, secret: str) -> str:
    moment = int(time.time())
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


async def opened_sender(app: web.Application):
    """Open the HTTP client for events, with two connections so that their order varies, as Stripe's does."""
    global sender
    if standing_webhook:
        create_endpoint(**standing_webhook)
    limits = {"timeout": aiohttp.ClientTimeout(total=20), "connector": aiohttp.TCPConnector(limit=2)}
    async with aiohttp.ClientSession(**limits) as sender:
        yield
        stop_sending()


def stop_sending() -> None:
    for task in being_sent:
        task.cancel()


async def post_until_taken(event: Event, receiver: WebhookEndpoint) -> None:
    """Deliver an event in up to four tries within half a minute; Stripe tries for three days."""
    for pause in (1, 5, 20, None):
        status = await post(event, receiver)
        deliveries.append({"event": event.id, "type": event.type, "url": receiver.url, "status": status})
        if 200 <= status < 300:
            event.pending_webhooks -= 1
            return
        if pause:
            await asyncio.sleep(pause)


async def post(event: Event, receiver: WebhookEndpoint) -> int:
    """Post the event; return the status, or 0 if there was no answer."""
    body = json.dumps(event.shown(), indent=2).encode()
    headers = {"Stripe-Signature": signature(body, receiver._secret), "Content-Type": "application/json"}
    try:
        async with sender.post(receiver.url, data=body, headers=headers, allow_redirects=False) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


objects.emitted.append(send_to_endpoints)
readable(WebhookEndpoint, "/v1/webhook_endpoints")


# What Stripe has not: the clock, faults, a fresh start


@route("POST", "/_clock")
def move_clock(advance_days=0, advance_seconds=0) -> dict:
    clock.advance(float(advance_days) * clock.DAY + float(advance_seconds))
    return {"now": clock.now()}


@route("GET", "/_clock")
def read_clock() -> dict:
    return {"now": clock.now()}


@route("GET", "/_events")
def events_after(after="", types=None) -> dict:
    """Return all events after this one, oldest first, unlike Stripe's own list."""
    events = Event.all()
    ids = [event.id for event in events]
    events = events[ids.index(after) + 1 :] if after in ids else events
    return {"data": [event for event in events if not types or event.type in types]}


@route("POST", "/_events/{id}/deliver")
def deliver_again(id) -> Event:
    send_to_endpoints(Event.get(id))
    return Event.get(id)


@route("GET", "/_deliveries")
def delivered() -> dict:
    return {"data": deliveries}


@route("POST", "/_fault")
def set_fault(mode="", seconds=30, times=0, only="") -> dict:
    if mode not in (None, "", "clear", "down", "hang", "lost", "slow", "500", "429"):
        raise Refused("The modes are down, hang, lost, slow, 500, 429 and clear.", param="mode")
    chosen = {"mode": mode, "seconds": float(seconds), "times": int(times), "only": only or ""}
    fault.update(NO_FAULT if mode in (None, "", "clear") else chosen)
    return fault


@route("POST", "/_reset")
def reset() -> dict:
    store.clear()
    answers.clear()
    deliveries.clear()
    fault.update(NO_FAULT)
    invoices.dunning.update(invoices.DUNNING_AT_FIRST)
    clock.reset()
    stop_sending()
    if standing_webhook:
        create_endpoint(**standing_webhook)
    return {"now": clock.now()}


@route("GET", "/_ready")
def ready() -> dict:
    return {"api_version": API_VERSION}


def application() -> web.Application:
    app = web.Application(middlewares=[keys, faults, idempotency, refusals])
    for method, path, function in ROUTES:
        app.router.add_route(method, path, endpoint(function))
    app.router.add_get("/_checkout/{id}", hosted.checkout_page)
    app.router.add_get("/_portal/{id}", hosted.portal_page)
    for cls, name in ((Coupon, "coupons"), (TaxRate, "tax_rates")):
        app.router.add_post(f"/v1/{name}", api_create(cls, f"/v1/{name}"))
        app.router.add_get(f"/v1/{name}", api_list_all(cls, f"/v1/{name}"))
        app.router.add_get(f"/v1/{name}/{{id}}", api_retrieve(cls, f"/v1/{name}"))
    app.cleanup_ctx.append(opened_sender)
    return app


def introduction(origin: str, webhook: str, secret: str) -> str:
    return f"""Stripe's stand-in is at {origin}, sends events to {webhook}, and forgets everything when it stops.
For the server, in .env:

    STRIPE_API_BASE={origin}
    STRIPE_TEST_SECRET_KEY=sk_test_{"standin" * 4}
    STRIPE_WEBHOOK_SECRET={secret}

Cards: pm_card_visa, pm_card_chargeDeclined, pm_card_chargeCustomerFail, pm_card_authenticationRequired,
pm_card_threeDSecure2Required.
A month later: curl -d advance_days=31 {origin}/_clock
What the bank asks, answered: curl -d client_secret=... {origin}/_confirm
A bad day: curl -d mode=down {origin}/_fault (hang, lost, slow, 500, 429; clear)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--webhook", help="where events go over HTTP")
    parser.add_argument("--secret", default="whsec_standin", help="what they are signed with")
    parser.add_argument("--log", action="store_true", help="a line for each request")
    arguments = parser.parse_args()
    if arguments.webhook:
        standing_webhook.update(url=arguments.webhook, enabled_events=["*"], secret=arguments.secret)
    hosted.origin = f"http://127.0.0.1:{arguments.port}"
    if arguments.webhook:
        print(introduction(hosted.origin, arguments.webhook, arguments.secret), flush=True)
    logging.basicConfig(level=logging.INFO if arguments.log else logging.WARNING, format="%(message)s")
    web.run_app(application(), host="127.0.0.1", port=arguments.port, print=None, shutdown_timeout=0.2)


if __name__ == "__main__":
    main()
