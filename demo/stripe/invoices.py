"""Invoices: drafted, finalized (of a renewal an hour later), paid, and retried when a card fails."""

from . import clock
from .cards import Intent, PaymentMethod, declined, new_payment, of_customer, store_card
from .catalogue import Customer, Price, Product, account, live_customer
from .clock import DAY
from .objects import Refused, StripeObject, emit, list_of, readable, resources, route

# As in the dashboard: when a failed renewal is tried again, and what becomes of the subscription in the end.
DUNNING_AT_FIRST = {"retry_days": [3, 5, 7], "then": "cancel"}
dunning = dict(DUNNING_AT_FIRST)


@route("POST", "/_dunning")
def set_dunning(retry_days=None, then=None) -> dict:
    dunning.update({"retry_days": [int(days) for days in retry_days]} if retry_days is not None else {})
    dunning.update({"then": then} if then else {})
    return dunning


class InvoiceItem(StripeObject):
    """A prorated amount that waits for the next invoice."""

    object = "invoiceitem"
    _id_prefix = "ii_"
    module = "_invoice_item.py"


class InvoicePayment(StripeObject):
    object = "invoice_payment"
    _id_prefix = "inpay_"
    module = "_invoice_payment.py"


def line(item, amount: int, description: str, start: int, end: int, *, proration=False) -> dict:
    """Return an invoice line for a subscription item."""
    id = "il_" + resources.random_id(20)
    details = {"invoice_item": None, "proration": proration, "proration_details": {"credited_items": None},
               "subscription": item.subscription, "subscription_item": item.id}  # fmt: skip
    price = item.price
    return {
        "id": id, "object": "line_item", "amount": amount, "currency": price.currency, "description": description,
        "discount_amounts": [], "discountable": not proration, "discounts": [], "livemode": False, "metadata": {},
        "parent": {"type": "subscription_item_details", "invoice_item_details": None,
                   "subscription_item_details": details},
        "period": {"start": start, "end": end}, "pretax_credit_amounts": [], "quantity": item.quantity,
        "pricing": {"type": "price_details", "price_details": {"price": price.id, "product": price.product},
                    "unit_amount_decimal": price.unit_amount_decimal},
        "subscription": item.subscription, "subtotal": amount, "taxes": [],
    }  # fmt: skip


def name_of(price: Price) -> str:
    return Product.get(price.product).name


class Invoice(StripeObject):
    object = "invoice"
    _id_prefix = "in_"
    module = "_invoice.py"
    on_request = ("confirmation_secret", "payments")

    def shown_on_request(self, name):
        if name == "payments":
            return list_of([pay for pay in InvoicePayment.all() if pay.invoice == self.id], "/v1/invoice_payments")
        if name == "confirmation_secret" and self._intent and self.status == "open":
            return {"client_secret": self._intent.client_secret, "type": "payment_intent"}
        return None

    @property
    def subscription(self):
        return resources.store.get(f"subscription:{self.parent['subscription_details']['subscription']}")

    def matches(self, name, value):
        if name == "subscription":
            return self.parent["subscription_details"]["subscription"] == value
        return super().matches(name, value)

    def finalize(self) -> None:
        customer = live_customer(self.customer)
        with self.changing():
            self.status = "open"
            self.effective_at = self.status_transitions["finalized_at"] = clock.now()
            self.automatically_finalizes_at = None
            self.number = f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04}"
            self.hosted_invoice_url = f"https://invoice.stripe.com/i/{account().id}/test_{self.id}"
            self.invoice_pdf = f"https://pay.stripe.com/invoice/{account().id}/test_{self.id}/pdf"
            self.use_balance(customer)
            customer.next_invoice_sequence += 1
        emit("invoice.finalized", self)
        if self.amount_due == 0:
            self.paid()
        else:
            self.ask_for_payment()

    def use_balance(self, customer: Customer) -> None:
        """Apply the customer's balance: a negative one is credit, and an invoice below zero adds to it."""
        self.starting_balance = customer.balance
        self.amount_due = max(0, self.total + customer.balance)
        self.amount_remaining = self.amount_due
        self.ending_balance = self.total + customer.balance - self.amount_due
        if self.ending_balance != customer.balance:
            customer.change(balance=self.ending_balance)

    def ask_for_payment(self) -> None:
        self._intent = new_payment(self.amount_due, self.currency, self.customer, f"Invoice {self.number}")
        self._intent._cause = self.payment_came
        InvoicePayment(
            invoice=self.id, amount_requested=self.amount_due, currency=self.currency, is_default=True, status="open",
            payment={"type": "payment_intent", "payment_intent": self._intent.id},
            status_transitions={"canceled_at": None, "paid_at": None},
        )  # fmt: skip

    def card(self) -> PaymentMethod | None:
        return self.subscription.card() if self.subscription else default_card(live_customer(self.customer))

    def pay(self, card: PaymentMethod | None = None) -> str:
        """Charge the card; return why that failed, or an empty string."""
        if self.status != "open":
            return ""
        self.attempted = True
        self.attempt_count += 1
        card = card or self.card()
        reason = self._intent.confirm(card) if card else "no_card"
        self.payment_came(self._intent, reason)
        return reason

    def payment_came(self, intent: Intent, reason: str) -> None:
        if not reason:
            self.save_card(intent)
            self.paid()
            return
        more = self.billing_reason != "subscription_create" and self.attempt_count <= len(dunning["retry_days"])
        wait = dunning["retry_days"][max(0, self.attempt_count - 1)] * DAY if more else None
        with self.changing():
            self.next_payment_attempt = wait and clock.now() + wait
        if reason == "authentication_required":
            emit("invoice.payment_action_required", self)
        emit("invoice.payment_failed", self)
        live_customer(self.customer).change(delinquent=True)
        if self.subscription:
            self.subscription.payment_failed(self, last=not more)

    def save_card(self, intent: Intent) -> None:
        settings = self.subscription and self.subscription.payment_settings
        if settings and settings["save_default_payment_method"] == "on_subscription" and intent.payment_method:
            self.subscription.change(default_payment_method=intent.payment_method)

    def paid(self) -> None:
        with self.changing():
            self.status = "paid"
            self.attempted = True
            self.amount_paid, self.amount_remaining = self.amount_due, 0
            self.next_payment_attempt = None
            self.status_transitions = self.status_transitions | {"paid_at": clock.now()}
        for payment in InvoicePayment.all():
            if payment.invoice == self.id:
                payment.status, payment.amount_paid = "paid", self.amount_due
                payment.status_transitions["paid_at"] = clock.now()
                emit("invoice_payment.paid", payment)
        emit("invoice.paid", self)
        emit("invoice.payment_succeeded", self)
        customer = live_customer(self.customer)
        customer.change(delinquent=False, currency=self.currency)
        if self.subscription:
            self.subscription.payment_succeeded(self)

    def void(self) -> None:
        with self.changing():
            self.status = "void"
            self.next_payment_attempt = None
            self.status_transitions = self.status_transitions | {"voided_at": clock.now()}
        if self._intent and self._intent.status != "canceled":
            self._intent.cancel()
        emit("invoice.voided", self)

    def stop(self) -> None:
        """Stop automatic collection, for an ended subscription."""
        if self.status in ("draft", "open"):
            self.change(auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)

    def falls_due(self):
        if self.status == "draft" and self.automatically_finalizes_at:
            yield self.automatically_finalizes_at, self.finalize_and_pay
        if self.status == "open" and self.next_payment_attempt:
            yield self.next_payment_attempt, self.pay

    def finalize_and_pay(self) -> None:
        self.finalize()
        self.pay()


clock.due_next.append(lambda: [due for invoice in Invoice.all() for due in invoice.falls_due()])


def default_card(customer: Customer) -> PaymentMethod | None:
    return store_card(customer.invoice_settings["default_payment_method"])


def draft(subscription, lines: list[dict], reason: str, *, start: int, end: int) -> Invoice:
    """Draft an invoice of these lines and of pending prorations."""
    customer = live_customer(subscription.customer)
    for waiting in [item for item in InvoiceItem.all() if item.customer == customer.id]:
        lines = [*lines, waiting._line]
        del resources.store[f"invoiceitem:{waiting.id}"]
    total = sum(part["amount"] for part in lines)
    details = {"metadata": subscription.metadata, "subscription": subscription.id}
    invoice = Invoice(
        customer=customer.id, customer_email=customer.email, customer_name=customer.name, status="draft",
        customer_tax_exempt="none", currency=subscription.currency, billing_reason=reason, auto_advance=True,
        account_country="US", account_name="Stand-in", collection_method="charge_automatically", metadata={},
        parent={"type": "subscription_details", "subscription_details": details, "quote_details": None},
        period_start=start, period_end=end, subtotal=total, subtotal_excluding_tax=total, total=total,
        total_excluding_tax=total, amount_due=max(0, total), amount_paid=0, amount_remaining=max(0, total),
        amount_shipping=0, amount_overpaid=0, amount_paid_off_stripe=0, attempt_count=0, starting_balance=0,
        automatic_tax={"enabled": False, "disabled_reason": None, "liability": None, "provider": None, "status": None},
        issuer={"type": "self"}, post_payment_credit_notes_amount=0, pre_payment_credit_notes_amount=0,
        payment_settings={"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
    )  # fmt: skip
    for part in lines:
        part["invoice"] = invoice.id
    invoice.lines = list_of(lines, f"/v1/invoices/{invoice.id}/lines")
    invoice._intent = None
    subscription.latest_invoice = invoice.id
    emit("invoice.created", invoice)
    return invoice


@route("GET", "/v1/invoices/{id}/lines")
def invoice_lines(id, limit=10, starting_after=None) -> dict:
    return Invoice.get(id).lines


@route("POST", "/v1/invoices/{id}/pay")
def pay_invoice(id, payment_method=None, off_session=True) -> Invoice:
    invoice = Invoice.get(id)
    if invoice.status != "open":
        code = "invoice_already_paid" if invoice.status == "paid" else "invoice_not_open"
        raise Refused(f"Invoice is {invoice.status}", code=code)
    customer = live_customer(invoice.customer)
    card = of_customer(payment_method, customer, param="payment_method") if payment_method else invoice.card()
    if card is None:
        raise Refused("There is no `default_payment_method` set on this Customer or Invoice. Please attach one.",
                      code="missing")  # fmt: skip
    if reason := invoice.pay(card):
        if reason == "authentication_required":
            raise Refused("This invoice payment needs additional action before it can be completed successfully.",
                          status=402, type="card_error", code="invoice_payment_intent_requires_action")  # fmt: skip
        raise declined(reason)
    return invoice


@route("POST", "/v1/invoices/{id}/finalize")
def finalize_invoice(id, auto_advance=None) -> Invoice:
    invoice = Invoice.get(id)
    if invoice.status != "draft":
        raise Refused("This invoice is already finalized, you can't re-finalize a non-draft invoice.",
                      code="invoice_not_editable")  # fmt: skip
    invoice.finalize()
    return invoice


@route("POST", "/v1/invoices/{id}/void")
def void_invoice(id) -> Invoice:
    Invoice.get(id).void()
    return Invoice.get(id)


readable(Invoice, "/v1/invoices", by=("customer", "subscription", "status", "collection_method"))
readable(InvoiceItem, "/v1/invoiceitems", by=("customer",))
readable(InvoicePayment, "/v1/invoice_payments", by=("invoice", "status"))
