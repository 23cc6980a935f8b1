"""Subscriptions: trial, first payment, renewal, change of plan, cancellation."""

from . import clock
from .cards import REFUSED_BY_THE_BANKS_CODE, PaymentMethod, declined, new_setup, of_customer, store_card
from .catalogue import Price, live_customer
from .clock import DAY, HOUR
from .invoices import Invoice, InvoiceItem, default_card, draft, dunning, line, name_of
from .objects import Refused, StripeObject, emit, list_of, merged, page, readable, route, unknown_parameters

LIVE = ("trialing", "active", "past_due", "unpaid")
OVER = ("canceled", "incomplete_expired")
NO_CARD = ("This customer has no attached payment source or default payment method. "
           "Please consider adding a default payment method.")  # fmt: skip
NEEDS_ACTION = "This subscription could not be changed because its payment requires additional action by the customer."


class SubscriptionItem(StripeObject):
    object = "subscription_item"
    _id_prefix = "si_"
    module = "_subscription_item.py"

    def shown(self, expand=()):
        return super().shown(expand) | {"plan": self.price.as_plan()}

    def amount(self) -> int:
        return self.price.unit_amount * self.quantity

    def full_line(self, start: int, end: int) -> dict:
        price = self.price
        words = (
            f"{self.quantity} × {name_of(price)} (at ${price.unit_amount / 100:.2f} / {price.recurring['interval']})"
        )
        return line(self, self.amount(), words, start, end)


class Subscription(StripeObject):
    object = "subscription"
    _id_prefix = "sub_"
    module = "_subscription.py"

    @classmethod
    def topic(cls):
        return "customer.subscription"

    def matches(self, name, value):
        if name == "price":
            return any(item.price.id == value for item in self.items["data"])
        return super().matches(name, value)

    @property
    def period(self) -> tuple[int, int]:
        item = self.items["data"][0]
        return item.current_period_start, item.current_period_end

    @period.setter
    def period(self, dates: tuple[int, int]) -> None:
        for item in self.items["data"]:
            item.current_period_start, item.current_period_end = dates

    def card(self) -> PaymentMethod | None:
        """Return the default card of subscription or customer; a card that is only attached is not used."""
        return store_card(self.default_payment_method) or default_card(live_customer(self.customer))

    def draft(self, lines: list[dict], reason: str) -> Invoice:
        start, end = self.period
        return draft(self, lines, reason, start=start, end=end)

    def full_lines(self) -> list[dict]:
        return [item.full_line(*self.period) for item in self.items["data"]]

    def next_period_from(self, start: int) -> tuple[int, int]:
        recurring = self.items["data"][0].price.recurring
        return start, clock.one_period_on(self.billing_cycle_anchor, start, recurring)

    # what an invoice tells

    def payment_succeeded(self, invoice: Invoice) -> None:
        if self.pending_update and invoice.id == self._update_invoice:
            apply_items(self, self._planned)
            emit("customer.subscription.pending_update_applied", self)
        if self.status in ("incomplete", "past_due", "unpaid") and invoice.id == self.latest_invoice:
            self.change(status="active")

    def payment_failed(self, invoice: Invoice, *, last: bool) -> None:
        if self.status in OVER or self.status == "incomplete" or invoice.id == self._update_invoice:
            return
        if not last or dunning["then"] == "past_due":
            self.change(status="past_due")
        elif dunning["then"] == "unpaid":
            self.change(status="unpaid")
        else:
            self.change(status="past_due")
            self.end("payment_failed")

    # what time brings

    def falls_due(self):
        if self.pending_update:
            yield self.pending_update["expires_at"], self.drop_update
        if self.status == "incomplete":
            yield self.created + 23 * HOUR, self.expire
        if self.status not in LIVE:
            return
        if self.cancel_at:
            yield self.cancel_at, lambda: self.end("cancellation_requested")
        if self.status == "trialing" and not self._warned:
            yield max(self.trial_end - 3 * DAY, self.trial_start), self.warn
        yield self.period[1], self.renew

    def warn(self) -> None:
        self._warned = True
        emit("customer.subscription.trial_will_end", self)

    def expire(self) -> None:
        self.change(status="incomplete_expired", ended_at=clock.now())
        Invoice.get(self.latest_invoice).void()

    def drop_update(self) -> None:
        self.change(pending_update=None)
        Invoice.get(self._update_invoice).void()
        emit("customer.subscription.pending_update_expired", self)

    def renew(self) -> None:
        if self.status == "trialing" and self.card() is None:
            missing = self.trial_settings["end_behavior"]["missing_payment_method"]
            if missing == "cancel":
                return self.end()
            if missing == "pause":
                self.change(status="paused")
                return emit("customer.subscription.paused", self)
        with self.changing():
            self.period = self.next_period_from(self.period[1])
            self.status = "active" if self.status == "trialing" else self.status
            invoice = self.draft(self.full_lines(), "subscription_cycle")
            # Once it is given up, invoices stay drafts.
            invoice.automatically_finalizes_at = None if self.status == "unpaid" else clock.now() + HOUR
        return None

    def end(self, reason: str | None = None) -> None:
        self.status = "canceled"
        self.ended_at = clock.now()
        self.canceled_at = self.canceled_at or clock.now()
        self.cancellation_details = self.cancellation_details | {"reason": reason}
        self.pending_update = None
        for invoice in Invoice.all():
            if invoice.subscription is self:
                invoice.stop()
        emit("customer.subscription.deleted", self)


clock.due_next.append(lambda: [due for subscription in Subscription.all() for due in subscription.falls_due()])


def usable_price(id: str) -> Price:
    price = Price.get(id, param="items[0][price]")
    if not price.active:
        raise Refused(f"The price specified is inactive. This field only accepts active prices: `{id}`.",
                      param="items[0][price]")  # fmt: skip
    if not price.recurring:
        raise Refused("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", param="items[0][price]")  # fmt: skip
    return price


def trial_length(trial_period_days, trial_end) -> int | None:
    if trial_period_days is not None and trial_end is not None:
        raise Refused("You may only specify one of these parameters: trial_end, trial_period_days.")
    if trial_end == "now" or (trial_period_days == 0 and trial_end is None):
        return None
    if trial_end is not None and int(trial_end) <= clock.now():
        raise Refused("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    return clock.now() + trial_period_days * DAY if trial_period_days else trial_end and int(trial_end)


def refuse_if_unpayable(card: PaymentMethod | None) -> None:
    if card is None:
        raise Refused(NO_CARD, code="resource_missing")
    reason = card.reason_against()
    if reason == "authentication_required" and card._number not in REFUSED_BY_THE_BANKS_CODE:
        raise Refused(NEEDS_ACTION, status=402, type="card_error", code="subscription_payment_intent_requires_action")
    if reason:
        raise declined(reason)


def cancellation(chosen: bool, subscription: Subscription) -> dict:
    """Return the fields of a cancellation, or of its withdrawal; `canceled_at` is the time of the request."""
    end = subscription.period[1] if chosen else None
    details = dict.fromkeys(("comment", "feedback", "reason")) | {
        "reason": "cancellation_requested" if chosen else None
    }
    return {"cancel_at_period_end": chosen, "cancel_at": end, "canceled_at": clock.now() if chosen else None,
            "cancellation_details": details}  # fmt: skip


def payment_settings_from(chosen: dict | None) -> dict:
    empty = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
    return empty | (chosen or {})


def trial_settings_from(chosen: dict | None) -> dict:
    return {"end_behavior": {"missing_payment_method": "create_invoice"} | (chosen or {}).get("end_behavior", {})}


@route("POST", "/v1/subscriptions")
def create_subscription(
    customer, items, default_payment_method=None, trial_period_days=None, trial_end=None, trial_settings=None,
    payment_behavior="allow_incomplete", payment_settings=None, cancel_at_period_end=False, cancel_at=None,
    metadata=None, description=None, off_session=False, collection_method="charge_automatically",
    proration_behavior=None, billing_mode=None,
) -> Subscription:  # fmt: skip
    owner = live_customer(customer, param="customer")
    prices = [(usable_price(item["price"]), item.get("quantity", 1), item.get("metadata") or {}) for item in items]
    trial_end = trial_length(trial_period_days, trial_end)
    if default_payment_method:
        default_payment_method = of_customer(default_payment_method, owner, param="default_payment_method").id
    card = store_card(default_payment_method) or default_card(owner)
    free = bool(trial_end) or not sum(price.unit_amount for price, *_ in prices)
    if not free and payment_behavior == "error_if_incomplete":
        refuse_if_unpayable(card)
    if not free and card is None and payment_behavior != "default_incomplete":
        raise Refused(NO_CARD, code="resource_missing")

    now = clock.now()
    subscription = Subscription(
        customer=customer, currency=prices[0][0].currency, status="trialing" if trial_end else "incomplete",
        start_date=now, billing_cycle_anchor=trial_end or now, trial_start=now if trial_end else None,
        trial_end=trial_end, trial_settings=trial_settings_from(trial_settings), description=description,
        default_payment_method=default_payment_method, metadata=metadata or {}, collection_method=collection_method,
        default_tax_rates=[],
        payment_settings=payment_settings_from(payment_settings), automatic_tax={"enabled": False, "liability": None,
        "disabled_reason": None}, invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        cancellation_details=dict.fromkeys(("comment", "feedback", "reason")),
        billing_mode={"type": "flexible", "flexible": {"proration_discounts": "included"}} | (billing_mode or {}),
    )  # fmt: skip
    subscription._warned = False
    subscription._update_invoice = subscription._planned = None
    put_items(subscription, [(None, *wanted) for wanted in prices])
    subscription.period = (now, trial_end) if trial_end else subscription.next_period_from(now)
    if cancel_at_period_end or cancel_at:
        vars(subscription).update(cancellation(True, subscription) | {"cancel_at_period_end": cancel_at_period_end})
        subscription.cancel_at = cancel_at or subscription.cancel_at
    (start_trial if free else start_paying)(subscription, payment_behavior, card)
    return subscription


def start_trial(subscription: Subscription, payment_behavior: str, card: PaymentMethod | None) -> None:
    """Start a trial: nothing is charged, but the bank may already require authentication."""
    items = subscription.items["data"]
    words = "Trial period for " if subscription.trial_end else "1 × "
    lines = [line(item, 0, words + name_of(item.price), *subscription.period) for item in items]
    if not subscription.trial_end:
        subscription.status = "active"
    invoice = subscription.draft(lines, "subscription_create")
    emit("customer.subscription.created", subscription)
    invoice.finalize()
    if (card and card.asks_the_customer()) or (card is None and payment_behavior == "default_incomplete"):
        ask_the_customer(subscription, card)


def ask_the_customer(subscription: Subscription, card: PaymentMethod | None) -> None:
    setup = new_setup(subscription.customer)
    setup._cause = lambda intent, reason: None if reason else set_up(subscription, intent)
    subscription.pending_setup_intent = setup.id
    if card:
        setup.confirm(card)


def set_up(subscription: Subscription, intent) -> None:
    keeps = subscription.payment_settings["save_default_payment_method"] == "on_subscription"
    chosen = intent.payment_method if keeps else subscription.default_payment_method
    subscription.change(pending_setup_intent=None, default_payment_method=chosen)


def start_paying(subscription: Subscription, payment_behavior: str, card: PaymentMethod | None) -> None:
    invoice = subscription.draft(subscription.full_lines(), "subscription_create")
    emit("customer.subscription.created", subscription)
    invoice.finalize()
    if payment_behavior != "default_incomplete":
        invoice.pay()
    elif card and invoice.status == "open":
        invoice._intent.status, invoice._intent.payment_method = "requires_confirmation", card.id


# a change of what is subscribed to


def put_items(subscription: Subscription, wanted: list[tuple]) -> None:
    """Replace the items by `wanted`: tuples of the present item or None, price, quantity and metadata."""
    items = []
    for item, price, quantity, metadata in wanted:
        item = item or SubscriptionItem(subscription=subscription.id, discounts=[], tax_rates=[], metadata={})
        item.price, item.quantity, item.metadata = price, quantity, merged(item.metadata, metadata)
        items.append(item)
    subscription.items = list_of(items, f"/v1/subscription_items?subscription={subscription.id}")


def planned_items(subscription: Subscription, changes: list[dict]) -> list[tuple]:
    """Return the items after the changes; an entry without an id adds one, as at Stripe."""
    plan = {item.id: (item, item.price, item.quantity, {}) for item in subscription.items["data"]}
    for number, change in enumerate(changes):
        if (id := change.get("id")) and id not in plan:
            raise Refused(f"No such subscription item: '{id}'", code="resource_missing", param=f"items[{number}][id]")
        item, price, quantity, _ = plan.pop(id) if id else (None, None, 1, {})
        if change.get("deleted"):
            continue
        price = usable_price(change["price"]) if "price" in change else price
        plan[id or number] = (item, price, change.get("quantity", quantity), change.get("metadata") or {})
    prices = [price.id for _, price, *_ in plan.values()]
    if len(set(prices)) < len(prices):
        raise Refused("Cannot add multiple subscription items with the same price.", param="items")
    if (
        len(
            {str(price.recurring) for _, price, *_ in plan.values()}
            | {str(subscription.items["data"][0].price.recurring)}
        )
        > 1
    ):
        raise Refused("This stand-in can't change the billing interval.", param="items")
    return list(plan.values())


def proration_lines(subscription: Subscription, plan: list[tuple]) -> list[dict]:
    """Return proration lines: a credit for unused time of the old items, a charge for remaining time of the new."""
    start, end = subscription.period
    share = max(0, end - clock.now()) / (end - start)
    kept = {(item.id, price.id, quantity) for item, price, quantity, _ in plan if item}
    lines = []
    for item in subscription.items["data"]:
        if (item.id, item.price.id, item.quantity) not in kept:
            words = f"Unused time on {name_of(item.price)}"
            lines.append(line(item, -round(item.amount() * share), words, clock.now(), end, proration=True))
    for item, price, quantity, _ in plan:
        if not item or (item.price.id, item.quantity) != (price.id, quantity):
            new = type("Wanted", (), {"subscription": subscription.id, "id": item and item.id, "price": price,
                                      "quantity": quantity})  # fmt: skip
            amount = round(price.unit_amount * quantity * share)
            lines.append(line(new, amount, f"Remaining time on {name_of(price)}", clock.now(), end, proration=True))
    return lines


def wait_for_next_invoice(subscription: Subscription, lines: list[dict]) -> None:
    for part in lines:
        item = InvoiceItem(
            customer=subscription.customer, amount=part["amount"], currency=part["currency"], date=clock.now(),
            description=part["description"], period=part["period"], proration=True, quantity=part["quantity"],
            metadata={}, tax_rates=[], discounts=[], parent={"type": "subscription_details", "subscription_details": {
            "subscription": subscription.id, "subscription_item": None}}, pricing=part["pricing"],
        )  # fmt: skip
        item._line = part
        emit("invoiceitem.created", item)


def apply_items(subscription: Subscription, plan: list[tuple]) -> None:
    with subscription.changing():
        period = subscription.period
        put_items(subscription, plan)
        subscription.period = period
        subscription.pending_update = subscription._update_invoice = subscription._planned = None


def change_items(
    subscription: Subscription, changes: list[dict], proration_behavior: str, payment_behavior: str
) -> None:
    plan = planned_items(subscription, changes)
    charged = proration_behavior != "none" and subscription.status in ("active", "past_due")
    lines = proration_lines(subscription, plan) if charged else []
    at_once = proration_behavior == "always_invoice" and lines
    balance = live_customer(subscription.customer).balance
    if at_once and payment_behavior == "error_if_incomplete" and sum(part["amount"] for part in lines) + balance > 0:
        refuse_if_unpayable(subscription.card())
    if not at_once:
        apply_items(subscription, plan)
        return wait_for_next_invoice(subscription, lines)
    pending = payment_behavior == "pending_if_incomplete"
    if not pending:
        apply_items(subscription, plan)
    with subscription.changing():
        invoice = subscription.draft(lines, "subscription_update")
        if pending:
            subscription._planned, subscription._update_invoice = plan, invoice.id
            wanted = [{"price": price.id, "quantity": quantity} for _, price, quantity, _ in plan]
            subscription.pending_update = {"expires_at": clock.now() + 23 * HOUR, "subscription_items": wanted,
                                           "billing_cycle_anchor": None, "trial_end": None}  # fmt: skip
        invoice.finalize()
    if payment_behavior != "default_incomplete":
        invoice.pay()
    return None


def end_trial_now(subscription: Subscription, payment_behavior: str) -> None:
    if payment_behavior == "error_if_incomplete":
        refuse_if_unpayable(subscription.card())
    with subscription.changing():
        subscription.trial_end = subscription.billing_cycle_anchor = clock.now()
        subscription.status = "active"
        subscription.period = subscription.next_period_from(clock.now())
        invoice = subscription.draft(subscription.full_lines(), "subscription_update")
        invoice.finalize()
    invoice.pay()


def move_trial_end(subscription: Subscription, moment: int) -> None:
    with subscription.changing():
        subscription.trial_start = subscription.trial_start or clock.now()
        subscription.trial_end = subscription.billing_cycle_anchor = moment
        subscription.status, subscription._warned = "trialing", False
        subscription.period = subscription.period[0], moment


SIMPLE = {"metadata", "description", "default_payment_method", "trial_settings", "payment_settings", "cancel_at",
          "cancel_at_period_end", "cancellation_details"}  # fmt: skip


@route("POST", "/v1/subscriptions/{id}")
def update_subscription(
    id, items=None, trial_end=None, proration_behavior="create_prorations", payment_behavior="allow_incomplete",
    off_session=False, proration_date=None, billing_cycle_anchor="unchanged", **changes,
) -> Subscription:  # fmt: skip
    subscription = Subscription.get(id)
    if unknown := set(changes) - SIMPLE:
        raise unknown_parameters(unknown)
    if billing_cycle_anchor != "unchanged":
        raise Refused("This stand-in keeps the billing date.", param="billing_cycle_anchor")
    if subscription.status in OVER and (items or set(changes) - {"metadata", "cancellation_details"}):
        raise Refused("A canceled subscription can only update its cancellation_details and metadata.",
                      code="resource_missing" if subscription.status == "canceled" else None)  # fmt: skip
    if changes.get("default_payment_method"):
        of_customer(
            changes["default_payment_method"], live_customer(subscription.customer), param="default_payment_method"
        )
    if items:
        change_items(subscription, items, proration_behavior, payment_behavior)
    if trial_end == "now" and subscription.status == "trialing":
        end_trial_now(subscription, payment_behavior)
    elif trial_end and trial_end != "now":
        move_trial_end(subscription, trial_length(None, trial_end))
    with subscription.changing():
        vars(subscription).update(settled(subscription, changes))
        card = store_card(changes.get("default_payment_method"))
        if card and card.asks_the_customer() and subscription.status in ("trialing", "active"):
            ask_the_customer(subscription, card)
    return subscription


def settled(subscription: Subscription, changes: dict) -> dict:
    fields = dict(changes)
    if "metadata" in fields:
        fields["metadata"] = merged(subscription.metadata, fields["metadata"])
    if "trial_settings" in fields:
        fields["trial_settings"] = trial_settings_from(fields["trial_settings"])
    if "payment_settings" in fields:
        fields["payment_settings"] = subscription.payment_settings | (fields["payment_settings"] or {})
    details = fields.pop("cancellation_details", None)
    if "cancel_at_period_end" in fields:
        fields |= cancellation(fields["cancel_at_period_end"], subscription)
    elif "cancel_at" in fields:
        moment = subscription.period[1] if str(fields["cancel_at"]).endswith("_period_end") else fields["cancel_at"]
        fields |= cancellation(bool(moment), subscription) | {"cancel_at": moment, "cancel_at_period_end": False}
    if details:
        fields["cancellation_details"] = fields.get("cancellation_details", subscription.cancellation_details) | details
    return fields


@route("DELETE", "/v1/subscriptions/{id}")
def cancel_subscription(id, invoice_now=False, prorate=False, cancellation_details=None) -> Subscription:
    subscription = Subscription.get(id)
    if subscription.status in OVER:
        raise Refused(f"No such subscription: '{id}'", status=404, code="resource_missing", param="id")
    subscription.cancellation_details = subscription.cancellation_details | (cancellation_details or {})
    subscription.end("cancellation_requested")
    return subscription


@route("POST", "/v1/subscriptions/{id}/resume")
def resume_subscription(id, billing_cycle_anchor="now", proration_behavior=None) -> Subscription:
    """Resume a subscription that paused at the end of its trial for lack of a card."""
    subscription = Subscription.get(id)
    if subscription.status != "paused":
        raise Refused("Only paused subscriptions can be resumed.")
    refuse_if_unpayable(subscription.card())
    with subscription.changing():
        subscription.status, subscription.billing_cycle_anchor = "active", clock.now()
        subscription.period = subscription.next_period_from(clock.now())
        invoice = subscription.draft(subscription.full_lines(), "subscription_update")
        invoice.finalize()
    invoice.pay()
    emit("customer.subscription.resumed", subscription)
    return subscription


@route("GET", "/v1/subscriptions")
def list_subscriptions(status=None, limit=10, starting_after=None, ending_before=None, **filters) -> dict:
    """List subscriptions; without `status`, ended ones are left out."""
    if unknown := set(filters) - {"customer", "price", "created", "collection_method"}:
        raise unknown_parameters(unknown)
    subscriptions = [sub for sub in Subscription.all() if all(sub.matches(*pair) for pair in filters.items())]
    if status is None:
        subscriptions = [sub for sub in subscriptions if sub.status not in OVER]
    elif status != "all":
        wanted = OVER if status == "ended" else (status,)
        subscriptions = [sub for sub in subscriptions if sub.status in wanted]
    return page(subscriptions, url="/v1/subscriptions", limit=limit, starting_after=starting_after,
                ending_before=ending_before)  # fmt: skip


@route("GET", "/v1/subscription_items")
def list_items(subscription, limit=10) -> dict:
    return Subscription.get(subscription, param="subscription").items


@route("GET", "/v1/subscription_items/{id}")
def retrieve_item(id) -> SubscriptionItem:
    return SubscriptionItem.get(id)


readable(Subscription, "/v1/subscriptions", lists=False)
