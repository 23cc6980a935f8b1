"""The pages that Stripe hosts, Checkout and the customer portal: as objects, and as plain pages to click."""

from html import escape
from urllib.parse import quote

from aiohttp import web

from . import clock
from .cards import NUMBERS, attach, card_by_recipe, declined
from .catalogue import live_customer
from .clock import DAY
from .customers import create_customer
from .invoices import Invoice
from .objects import Refused, StripeObject, emit, list_of, readable, resources, route, unknown_parameters
from .subscriptions import OVER, Subscription, cancellation, create_subscription, update_subscription, usable_price

origin = "http://127.0.0.1:12111"


class CheckoutSession(StripeObject):
    object = "checkout.session"
    _id_prefix = "cs_"
    module = "checkout/_session.py"
    on_request = ("line_items",)

    def shown_on_request(self, name):
        return list_of(self._lines, f"/v1/checkout/sessions/{self.id}/line_items") if name == "line_items" else None

    def falls_due(self):
        if self.status == "open":
            yield self.expires_at, self.expire

    def expire(self) -> None:
        self.status, self.url = "expired", None
        emit("checkout.session.expired", self)


clock.due_next.append(lambda: [due for session in CheckoutSession.all() for due in session.falls_due()])


def line_item(price, quantity: int) -> dict:
    amount = price.unit_amount * quantity
    return {
        "id": "li_" + resources.random_id(14), "object": "item", "amount_discount": 0, "amount_subtotal": amount,
        "amount_tax": 0, "amount_total": amount, "currency": price.currency, "description": price.nickname,
        "metadata": {}, "price": price.shown(), "quantity": quantity, "discounts": [],
    }  # fmt: skip


SUBSCRIPTION_DATA = {"billing_mode", "description", "metadata", "trial_end", "trial_period_days", "trial_settings"}


@route("POST", "/v1/checkout/sessions")
def create_session(
    mode, line_items, success_url, cancel_url=None, customer=None, customer_email=None, client_reference_id=None,
    metadata=None, subscription_data=None, payment_method_collection="always", expires_at=None, locale=None,
    allow_promotion_codes=None, payment_method_types=None, billing_address_collection=None, customer_update=None,
) -> CheckoutSession:  # fmt: skip
    if mode != "subscription":
        raise Refused("This stand-in's checkout only has mode=subscription.", param="mode")
    if customer and customer_email:
        raise Refused("You may only specify one of these parameters: customer, customer_email.")
    email = live_customer(customer, param="customer").email if customer else customer_email
    if unknown := set(subscription_data or {}) - SUBSCRIPTION_DATA:
        raise unknown_parameters(unknown)
    wanted = [(usable_price(item["price"]), item.get("quantity", 1)) for item in line_items]
    trial = subscription_data and (subscription_data.get("trial_period_days") or subscription_data.get("trial_end"))
    total = 0 if trial else sum(price.unit_amount * quantity for price, quantity in wanted)
    session = CheckoutSession(
        id="cs_test_" + resources.random_id(40), mode=mode, status="open", success_url=success_url,
        cancel_url=cancel_url, customer=customer, customer_email=customer_email, metadata=metadata or {},
        client_reference_id=client_reference_id, payment_method_collection=payment_method_collection,
        amount_subtotal=total, amount_total=total, currency=wanted[0][0].currency, payment_status="unpaid",
        expires_at=expires_at or clock.now() + DAY, locale=locale, payment_method_types=["card"], custom_fields=[],
        customer_details={"address": None, "email": email, "name": None, "phone": None, "tax_exempt": "none",
                          "tax_ids": None}, customer_creation=None if customer else "always", ui_mode="hosted_page",
        allow_promotion_codes=allow_promotion_codes, automatic_tax={"enabled": False, "liability": None,
        "provider": None, "status": None}, custom_text={}, phone_number_collection={"enabled": False},
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    )  # fmt: skip
    session._lines = [line_item(price, quantity) for price, quantity in wanted]
    session._subscription = dict(subscription_data or {})
    session.url = f"{origin}/_checkout/{session.id}"
    return session


@route("POST", "/v1/checkout/sessions/{id}/expire")
def expire_session(id) -> CheckoutSession:
    session = CheckoutSession.get(id)
    if session.status != "open":
        raise Refused("Only Checkout Sessions with a status in ['open'] can be expired.")
    session.expire()
    return session


@route("GET", "/v1/checkout/sessions/{id}/line_items")
def session_lines(id, limit=10) -> dict:
    return CheckoutSession.get(id).shown_on_request("line_items")


@route("POST", "/_checkout/{id}")
def complete(id, payment_method="pm_card_visa") -> CheckoutSession:
    """Complete the session as a customer does, the bank's authentication included."""
    session = CheckoutSession.get(id)
    if session.status != "open":
        raise Refused(f"This session is {session.status}.")
    needs_card = session.amount_total or session.payment_method_collection == "always"
    card = card_by_recipe(payment_method) if payment_method and needs_card else None
    if needs_card and card is None:
        raise Refused("The page needs a card.", param="payment_method")
    reason = card.reason_against(authenticated=True) if card else ""
    if reason and (session.amount_total or card._number in REFUSED_ON_THE_PAGE):
        raise declined(reason)
    customer = session.customer or create_customer(email=session.customer_email).id
    if card:
        card._set_up = True
        attach(card.id, customer)
    items = [{"price": line["price"]["id"], "quantity": line["quantity"]} for line in session._lines]
    subscription = create_subscription(
        customer, items, default_payment_method=card and card.id, **session._subscription
    )
    if subscription.pending_setup_intent:
        subscription.pending_setup_intent = None
    if subscription.status == "incomplete":
        intent = Invoice.get(subscription.latest_invoice)._intent
        intent._cause(intent, intent.confirm(card, authenticated=True))
    session.customer, session.subscription, session.invoice = customer, subscription.id, subscription.latest_invoice
    session.status, session.url = "complete", None
    session.payment_status = "paid" if session.amount_total else "no_payment_required"
    emit("checkout.session.completed", session)
    return session


class PortalSession(StripeObject):
    object = "billing_portal.session"
    _id_prefix = "bps_"
    module = "billing_portal/_session.py"


@route("POST", "/v1/billing_portal/sessions")
def create_portal(customer, return_url=None, configuration=None, flow_data=None, locale=None) -> PortalSession:
    live_customer(customer, param="customer")
    portal = PortalSession(customer=customer, return_url=return_url, configuration=configuration or "bpc_standin",
                           locale=locale, flow=flow_data)  # fmt: skip
    portal.url = f"{origin}/_portal/{portal.id}"
    return portal


@route("POST", "/_portal/{id}")
def act_in_portal(id, action, payment_method="pm_card_visa", price=None) -> Subscription:
    """Act in the portal. A cancellation sets `cancel_at` alone, as in the flexible billing mode."""
    portal = PortalSession.get(id)
    subscription = [sub for sub in Subscription.all() if sub.customer == portal.customer and sub.status not in OVER][-1]
    if action == "cancel":
        subscription.change(**cancellation(True, subscription) | {"cancel_at_period_end": False})
    elif action == "resume":
        subscription.change(**cancellation(False, subscription))
    elif action == "card":
        subscription.change(default_payment_method=attach(payment_method, portal.customer).id)
    elif action == "switch":
        item = subscription.items["data"][0].id
        update_subscription(subscription.id, [{"id": item, "price": price}], proration_behavior="always_invoice")
    else:
        raise Refused("The actions are cancel, resume, card and switch.", param="action")
    return subscription


REFUSED_ON_THE_PAGE = {number for name, number in NUMBERS.items() if name.startswith("chargeDeclined")}


def html(title: str, body: str) -> web.Response:
    style = "body{font:16px/1.5 sans-serif;max-width:32em;margin:3em auto}button,select{font:inherit;margin:.3em}"
    text = f"<!doctype html><title>{escape(title)}</title><style>{style}</style><h1>{escape(title)}</h1>{body}"
    return web.Response(text=text, content_type="text/html")


def card_choice() -> str:
    options = "".join(f"<option>pm_card_{name}</option>" for name in NUMBERS)
    return f"<select name=payment_method>{options}</select>"


async def checkout_page(request: web.Request) -> web.Response:
    session = CheckoutSession.get(request.match_info["id"])
    if session.status != "open":
        return html("Checkout", f"<p>This session is {session.status}.")
    error = escape(request.query.get("error", ""))
    back = f"<p><a href='{escape(session.cancel_url)}'>Back</a>" if session.cancel_url else ""
    due = f"{session.amount_total / 100:.2f} {session.currency.upper()} due today"
    return html(
        "Checkout", f"<p>{due}<p><b>{error}</b><form method=post>{card_choice()}<button>Pay</button></form>{back}"
    )


async def portal_page(request: web.Request) -> web.Response:
    portal = PortalSession.get(request.match_info["id"])
    rows = [f"<p>{sub.id}: {sub.status}{', ends' if sub.cancel_at else ''}" for sub in Subscription.all()
            if sub.customer == portal.customer]  # fmt: skip
    buttons = "".join(f"<button name=action value={action}>{action}</button>" for action in ("cancel", "resume"))
    card = f"<form method=post>{card_choice()}<button name=action value=card>card</button></form>"
    back = f"<p><a href='{escape(portal.return_url)}'>Back</a>" if portal.return_url else ""
    return html("Customer portal", "".join(rows) + f"<form method=post>{buttons}</form>" + card + back)


def where_to(thing: StripeObject) -> str:
    """Return the address to redirect to after a click on one of the pages."""
    if isinstance(thing, CheckoutSession):
        return thing.success_url.replace("{CHECKOUT_SESSION_ID}", thing.id)
    return ""


def with_error(path: str, message: str) -> str:
    return f"{path}?error={quote(message)}"


readable(CheckoutSession, "/v1/checkout/sessions", by=("customer", "subscription", "status"))
