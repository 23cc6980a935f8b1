"""Stripe's test cards, and the payment and setup intents that use them."""

from . import clock
from .catalogue import live_customer
from .objects import Refused, StripeObject, emit, list_of, readable, resources, route

# https://docs.stripe.com/testing: as pm_card_NAME and tok_NAME.
NUMBERS = {
    "visa": "4242424242424242",
    "visa_debit": "4000056655665556",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "chargeDeclined": "4000000000000002",
    "chargeDeclinedInsufficientFunds": "4000000000009995",
    "chargeDeclinedLostCard": "4000000000009987",
    "chargeDeclinedStolenCard": "4000000000009979",
    "chargeDeclinedExpiredCard": "4000000000000069",
    "chargeDeclinedIncorrectCvc": "4000000000000127",
    "chargeDeclinedProcessingError": "4000000000000119",
    "chargeCustomerFail": "4000000000000341",
    "authenticationRequired": "4000002760003184",
    "authenticationRequiredOnSetup": "4000002500003155",
    "authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "threeDSecure2Required": "4000000000003220",
}
REFUSED_AT_ONCE = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000009987": "lost_card",
    "4000000000009979": "stolen_card",
    "4000000000000069": "expired_card",
    "4000000000000127": "incorrect_cvc",
    "4000000000000119": "processing_error",
}
REFUSED_WHEN_CHARGED = {"4000000000000341": "generic_decline", "4000008260003178": "insufficient_funds"}
ASKS_ALWAYS = {"4000002760003184", "4000008260003178", "4000000000003220"}
ASKS_UNTIL_SET_UP = {"4000002500003155"}
# Of these a subscription that can't be paid is refused as a charge is, with the bank's own code.
REFUSED_BY_THE_BANKS_CODE = {"4000000000003220"}
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def card_error(reason: str) -> dict:
    own_code = reason in ("expired_card", "incorrect_cvc", "processing_error", "authentication_required")
    message = MESSAGES.get(reason, "Your card was declined.")
    return {"code": reason if own_code else "card_declined", "decline_code": reason, "message": message,
            "type": "card_error"}  # fmt: skip


def declined(reason: str, **details) -> Refused:
    error = card_error(reason)
    return Refused(error.pop("message"), status=402, **error, **details)


class PaymentMethod(StripeObject):
    object = "payment_method"
    _id_prefix = "pm_"
    module = "_payment_method.py"

    def __init__(self, number: str, billing_details=None, metadata=None, exp_month=12, exp_year=2040) -> None:
        address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
        empty = {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}
        brand = {"3": "amex", "5": "mastercard"}.get(number[0], "visa")
        super().__init__(
            type="card", customer=None, metadata=metadata or {}, billing_details=empty | (billing_details or {}),
            allow_redisplay="unspecified",
            card={
                "brand": brand, "display_brand": brand, "country": "US", "exp_month": exp_month, "exp_year": exp_year,
                "fingerprint": resources.fingerprint(number), "funding": "credit", "last4": number[-4:],
                "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
                "networks": {"available": [brand], "preferred": None}, "generated_from": None, "wallet": None,
                "three_d_secure_usage": {"supported": True}, "regulated_status": "unregulated",
            },
        )  # fmt: skip
        self._number = number
        self._set_up = False
        self._used_up = False

    def becomes(self, name: str) -> None:
        """Make this card behave like another test card from now on."""
        self._number = NUMBERS[name]

    def asks_the_customer(self) -> bool:
        return self._number in ASKS_ALWAYS or (self._number in ASKS_UNTIL_SET_UP and not self._set_up)

    def reason_against(self, *, authenticated: bool = False) -> str:
        """Return why a charge fails, or an empty string if it succeeds."""
        if self.asks_the_customer() and not authenticated:
            return "authentication_required"
        return REFUSED_AT_ONCE.get(self._number) or REFUSED_WHEN_CHARGED.get(self._number, "")


def card_by_recipe(id: str) -> PaymentMethod | None:
    """Create a card from a test name: each use of pm_card_visa makes a new one."""
    name = id.removeprefix("pm_card_").removeprefix("tok_")
    number = NUMBERS.get(name) or NUMBERS.get(name.removeprefix("visa_"))
    return PaymentMethod(number) if number and name != id else None


def payment_method(id: str, *, param: str = "payment_method") -> PaymentMethod:
    return card_by_recipe(id) or PaymentMethod.get(id, param=param)


def of_customer(id: str, customer, *, param: str) -> PaymentMethod:
    card = store_card(id)
    if card is None or card.customer != customer.id:
        raise Refused(f"The customer does not have a payment method with the ID {id}. "
                      "The payment method must be attached to the customer.",
                      code="resource_missing", param=param)  # fmt: skip
    return card


def store_card(id: str) -> PaymentMethod | None:
    return resources.store.get(f"payment_method:{id}")


@route("POST", "/v1/payment_methods")
def create_payment_method(type, card, billing_details=None, metadata=None) -> PaymentMethod:
    if type != "card":
        raise Refused("This stand-in only has cards.", param="type")
    details = {"billing_details": billing_details, "metadata": metadata}
    if token := card.get("token"):
        made = card_by_recipe(token) if token.startswith("tok_") else None
        if made is None:
            raise Refused(f"No such token: '{token}'", code="resource_missing", param="card[token]")
        made.billing_details |= billing_details or {}
        made.metadata = metadata or {}
        return made
    expiry = {"exp_month": int(card["exp_month"]), "exp_year": int(card["exp_year"])}
    return PaymentMethod(str(card["number"]), **details, **expiry)


@route("GET", "/v1/payment_methods/{id}")
def retrieve_payment_method(id) -> PaymentMethod:
    return payment_method(id, param="id")


@route("POST", "/v1/payment_methods/{id}")
def update_payment_method(id, metadata=None, billing_details=None, card=None) -> PaymentMethod:
    method = PaymentMethod.get(id)
    changes = {"metadata": metadata or {}, "billing_details": method.billing_details | (billing_details or {})}
    method.change(**changes, card=method.card | (card or {}))
    return method


@route("POST", "/v1/payment_methods/{id}/attach")
def attach(id, customer) -> PaymentMethod:
    live_customer(customer, param="customer")
    method = payment_method(id, param="id")
    if method.customer == customer:
        return method
    if method.customer:
        raise Refused("The payment method you provided has already been attached to a customer.")
    if method._used_up:
        raise Refused("This PaymentMethod was previously used without being attached to a Customer or was detached "
                      "from a Customer, and may not be used again.")  # fmt: skip
    if reason := REFUSED_AT_ONCE.get(method._number):
        raise declined(reason)
    method.customer = customer
    emit("payment_method.attached", method)
    return method


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(id) -> PaymentMethod:
    method = PaymentMethod.get(id)
    if not method.customer:
        raise Refused("The payment method you provided is not attached to a customer so detachment is impossible.")
    customer = live_customer(method.customer)
    previous = {"customer": method.customer}
    method.customer = None
    method._used_up = True
    if customer.invoice_settings["default_payment_method"] == id:
        customer.change(invoice_settings=customer.invoice_settings | {"default_payment_method": None})
    for thing in list(resources.store.values()):
        if thing.object == "subscription" and thing.default_payment_method == id:
            thing.change(default_payment_method=None)
    emit("payment_method.detached", method, previous)
    return method


@route("GET", "/v1/customers/{id}/payment_methods")
def payment_methods_of(id, type=None, limit=10) -> dict:
    live_customer(id)
    methods = [method for method in PaymentMethod.all() if method.customer == id and type in (None, method.type)]
    return list_of(methods[::-1][:limit], f"/v1/customers/{id}/payment_methods")


@route("GET", "/v1/customers/{id}/payment_methods/{method}")
def payment_method_of(id, method) -> PaymentMethod:
    return of_customer(method, live_customer(id), param="payment_method")


class Charge(StripeObject):
    object = "charge"
    _id_prefix = "ch_"
    module = "_charge.py"
    on_request = ("refunds",)

    def __init__(self, intent, method: PaymentMethod, reason: str) -> None:
        paid = not reason
        super().__init__(
            amount=intent.amount, amount_captured=intent.amount * paid, amount_refunded=0, captured=paid, paid=paid,
            status="succeeded" if paid else "failed", currency=intent.currency, customer=intent.customer,
            description=intent.description, payment_intent=intent.id, payment_method=method.id, metadata={},
            billing_details=method.billing_details, fraud_details={}, receipt_url=None,
            failure_code=None if paid else card_error(reason)["code"],
            failure_message=None if paid else card_error(reason)["message"],
            outcome={
                "network_status": "approved_by_network" if paid else "declined_by_network", "reason": reason or None,
                "risk_level": "normal", "type": "authorized" if paid else "issuer_declined",
                "seller_message": "Payment complete." if paid else "The bank did not return any further details.",
            },
            payment_method_details={"card": method.card, "type": "card"},
        )  # fmt: skip


class Intent(StripeObject):
    error_field = ""

    def __init__(self, **fields) -> None:
        super().__init__(status="requires_payment_method", payment_method_types=["card"], **fields)
        self.client_secret = f"{self.id}_secret_{resources.random_id(24)}"
        self._cause = None  # the invoice, subscription or checkout that hears of the outcome
        self._keep_card = True

    def confirm(self, method: PaymentMethod, *, authenticated: bool = False) -> str:
        """Confirm the intent; return why it failed, or an empty string."""
        self.payment_method = method.id
        self.next_action = None
        setattr(self, self.error_field, None)
        reason = self.try_card(method, authenticated)
        if reason == "authentication_required":
            self.status = "requires_action"
            self.next_action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
            emit(f"{self.object}.requires_action", self)
        elif reason:
            self.fail(reason, method)
        else:
            self.status = "succeeded"
            method._set_up = method._set_up or authenticated
            if self._keep_card and self.customer and not method.customer:
                attach(method.id, self.customer)
            emit(f"{self.object}.succeeded", self)
        return reason

    def fail(self, reason: str, method: PaymentMethod) -> None:
        self.status = "requires_payment_method"
        self.payment_method = None
        self.next_action = None
        setattr(self, self.error_field, card_error(reason) | {"payment_method": method.shown()})
        emit(f"{self.object}.{'payment' if self.object == 'payment_intent' else 'setup'}_failed", self)

    def cancel(self) -> None:
        self.status = "canceled"
        self.canceled_at = clock.now()
        emit(f"{self.object}.canceled", self)


class PaymentIntent(Intent):
    object = "payment_intent"
    _id_prefix = "pi_"
    module = "_payment_intent.py"
    error_field = "last_payment_error"

    def try_card(self, method, authenticated):
        reason = method.reason_against(authenticated=authenticated)
        if reason != "authentication_required":
            charge = Charge(self, method, reason)
            self.latest_charge = charge.id
            self.amount_received = charge.amount_captured
            emit(f"charge.{charge.status}", charge)
        return reason


class SetupIntent(Intent):
    object = "setup_intent"
    _id_prefix = "seti_"
    module = "_setup_intent.py"
    error_field = "last_setup_error"

    def try_card(self, method, authenticated):
        if method.asks_the_customer() and not authenticated:
            return "authentication_required"
        return REFUSED_AT_ONCE.get(method._number, "")


def new_payment(amount: int, currency: str, customer: str | None, description=None, metadata=None) -> PaymentIntent:
    intent = PaymentIntent(
        amount=amount, currency=currency, customer=customer, description=description, metadata=metadata or {},
        amount_received=0, amount_capturable=0, capture_method="automatic", confirmation_method="automatic",
        setup_future_usage="off_session" if customer else None,
    )  # fmt: skip
    emit("payment_intent.created", intent)
    return intent


def new_setup(customer: str | None, metadata=None, usage="off_session") -> SetupIntent:
    intent = SetupIntent(customer=customer, metadata=metadata or {}, usage=usage)
    emit("setup_intent.created", intent)
    return intent


@route("POST", "/v1/setup_intents")
def create_setup_intent(
    customer=None, payment_method=None, confirm=False, usage="off_session", metadata=None, payment_method_types=None,
    automatic_payment_methods=None,
) -> SetupIntent:  # fmt: skip
    if customer:
        live_customer(customer, param="customer")
    intent = new_setup(customer, metadata, usage)
    if payment_method:
        intent.payment_method = payment_method
        intent.status = "requires_confirmation"
    return confirm_intent(intent.id) if confirm else intent


@route("POST", "/v1/payment_intents/{id}/confirm")
@route("POST", "/v1/setup_intents/{id}/confirm")
def confirm_intent(id, payment_method=None, off_session=False, return_url=None, authenticated=False) -> Intent:
    intent = (PaymentIntent if id.startswith("pi_") else SetupIntent).get(id)
    if intent.status in ("succeeded", "canceled"):
        raise Refused(f"This intent's status is {intent.status}.", code=f"{intent.object}_unexpected_state")
    chosen = payment_method or intent.payment_method
    if not chosen:
        raise Refused("You cannot confirm this intent because it's missing a payment method.",
                      code=f"{intent.object}_unexpected_state")  # fmt: skip
    method = card_by_recipe(chosen) or PaymentMethod.get(chosen, param="payment_method")
    reason = intent.confirm(method, authenticated=authenticated)
    if intent._cause:
        intent._cause(intent, reason)
    if reason and reason != "authentication_required":
        raise declined(reason, **{intent.object: intent.shown()})
    return intent


@route("POST", "/v1/payment_intents/{id}/cancel")
@route("POST", "/v1/setup_intents/{id}/cancel")
def cancel_intent(id, cancellation_reason=None) -> Intent:
    intent = (PaymentIntent if id.startswith("pi_") else SetupIntent).get(id)
    intent.cancel()
    return intent


@route("POST", "/_confirm")
def act_as_the_customer(client_secret, payment_method=None, succeed=True) -> Intent:
    """Complete or fail the bank's authentication, as the customer does through Stripe.js."""
    id = client_secret.partition("_secret_")[0]
    intent = (PaymentIntent if id.startswith("pi_") else SetupIntent).get(id)
    if intent.client_secret != client_secret:
        raise Refused("The client_secret provided does not match.", code="payment_intent_invalid_parameter")
    if succeed:
        return confirm_intent(id, payment_method=payment_method, authenticated=True)
    intent.fail("authentication_required", PaymentMethod.get(payment_method or intent.payment_method))
    if intent._cause:
        intent._cause(intent, "authentication_failed")
    return intent


@route("POST", "/_card")
def change_card(payment_method, becomes) -> PaymentMethod:
    PaymentMethod.get(payment_method).becomes(becomes)
    return PaymentMethod.get(payment_method)


readable(PaymentMethod, "/v1/payment_methods", by=("customer", "type"), one=False)
readable(PaymentIntent, "/v1/payment_intents", by=("customer",))
readable(SetupIntent, "/v1/setup_intents", by=("customer", "payment_method"))
readable(Charge, "/v1/charges", by=("customer", "payment_intent"))
