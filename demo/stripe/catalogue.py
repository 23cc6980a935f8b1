"""The account, customer objects, products and prices."""

from . import clock
from .objects import Refused, StripeObject, emit, list_of, readable, resources, route, store, unknown_parameters


class Account(StripeObject):
    object = "account"
    _id_prefix = "acct_"
    module = "_account.py"


@route("GET", "/v1/account")
def account() -> Account:
    return (Account.all() or [Account(
        id="acct_1StandIn0000000", type="standard", country="US", default_currency="usd", email="owner@example.com",
        charges_enabled=True, payouts_enabled=True, details_submitted=True, metadata={}, business_type="company",
        business_profile={"name": "Stand-in", "url": None},
        settings={"dashboard": {"display_name": "Stand-in", "timezone": "Etc/UTC"}, "branding": {}},
    )])[0]  # fmt: skip


@route("GET", "/v1/accounts/{id}")
def account_by_id(id) -> Account:
    if account().id != id:
        raise Refused(f"The provided key does not have access to account '{id}'", status=403, code="account_invalid")
    return account()


class Customer(StripeObject):
    object = "customer"
    _id_prefix = "cus_"
    module = "_customer.py"
    on_request = ("sources", "subscriptions", "tax_ids", "tax", "cash_balance", "invoice_credit_balance")

    @classmethod
    def all(cls):
        return [customer for customer in super().all() if "deleted" not in vars(customer)]

    def shown_on_request(self, name):
        url = f"/v1/customers/{self.id}/{name}"
        if name == "subscriptions":
            return list_of(self.kept_subscriptions(), url)
        return list_of([], url) if name in ("sources", "tax_ids") else None

    def kept_subscriptions(self) -> list:
        own = [thing for thing in store.values() if thing.object == "subscription" and thing.customer == self.id]
        return [subscription for subscription in own if subscription.status not in ("canceled", "incomplete_expired")]

    def shown(self, expand=()):
        if vars(self).get("deleted"):
            return {"id": self.id, "object": self.object, "deleted": True}
        return super().shown(expand)


def live_customer(id: str, *, param="id") -> Customer:
    customer = Customer.get(id, param=param)
    if vars(customer).get("deleted"):
        raise Refused(f"No such customer: '{id}'", status=404 if param == "id" else 400,
                      code="resource_missing", param=param)  # fmt: skip
    return customer


class Product(StripeObject):
    object = "product"
    _id_prefix = "prod_"
    module = "_product.py"


PRODUCT_FIELDS = {"active", "default_price", "description", "images", "marketing_features", "metadata", "name",
                  "statement_descriptor", "tax_code", "unit_label", "url"}  # fmt: skip


@route("POST", "/v1/products")
def create_product(name, id=None, default_price_data=None, **fields) -> Product:
    if unknown := set(fields) - PRODUCT_FIELDS:
        raise unknown_parameters(unknown)
    if id and f"product:{id}" in resources.store:
        raise Refused("Product already exists.", code="resource_already_exists", param="id")
    kept = {"active": True, "metadata": {}, "type": "service", "updated": clock.now(), **fields}
    product = Product(id=id, name=name, **kept)
    emit("product.created", product)
    if default_price_data:
        product.default_price = create_price(product=product.id, **default_price_data).id
    return product


@route("POST", "/v1/products/{id}")
def update_product(id, **fields) -> Product:
    if unknown := set(fields) - PRODUCT_FIELDS:
        raise unknown_parameters(unknown)
    Product.get(id).change(**fields)
    return Product.get(id)


@route("DELETE", "/v1/products/{id}")
def delete_product(id) -> dict:
    product = Product.get(id)
    if any(price.product == id for price in Price.all()):
        raise Refused("This product cannot be deleted because it has one or more user-created prices.")
    del resources.store[f"product:{id}"]
    emit("product.deleted", product)
    return {"id": id, "object": "product", "deleted": True}


@route("GET", "/v1/products/{id}/features")
def product_features(id, limit=10) -> dict:
    return list_of([], f"/v1/products/{Product.get(id).id}/features")


class Price(StripeObject):
    object = "price"
    _id_prefix = "price_"
    module = "_price.py"
    on_request = ("tiers", "currency_options")

    def shown_on_request(self, name):
        if name == "tiers":
            return None
        kept = ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")
        return {self.currency: {field: getattr(self, field) for field in kept}}

    def matches(self, name, value):
        if name == "lookup_keys":
            return self.lookup_key in value
        if name == "recurring":
            return all((self.recurring or {}).get(key) == wanted for key, wanted in value.items())
        return super().matches(name, value)

    def as_plan(self) -> dict:
        """Return the price in the shape of Stripe's older Plan object, which subscription items still carry."""
        return {
            "id": self.id, "object": "plan", "active": self.active, "amount": self.unit_amount,
            "amount_decimal": self.unit_amount_decimal, "billing_scheme": "per_unit", "created": self.created,
            "currency": self.currency, "interval": self.recurring["interval"], "livemode": False, "meter": None,
            "interval_count": self.recurring["interval_count"], "metadata": self.metadata, "nickname": self.nickname,
            "product": self.product, "tiers_mode": None, "transform_usage": None, "trial_period_days": None,
            "usage_type": "licensed",
        }  # fmt: skip


def take_lookup_key(key: str | None, *, transfer: bool, own: Price | None = None) -> None:
    for price in Price.all():
        if key and price.lookup_key == key and price is not own:
            if not transfer:
                raise Refused(f"A price (`{price.id}`) already uses that lookup key.", param="lookup_key")
            price.change(lookup_key=None)


@route("POST", "/v1/prices")
def create_price(
    currency, product=None, unit_amount=None, recurring=None, product_data=None, lookup_key=None, active=True,
    transfer_lookup_key=False, nickname=None, metadata=None, tax_behavior="unspecified",
) -> Price:  # fmt: skip
    if unit_amount is None or unit_amount < 0:
        raise Refused("You must specify a `unit_amount` that is not negative.", code="parameter_missing")
    take_lookup_key(lookup_key, transfer=transfer_lookup_key)
    product = create_product(**product_data).id if product_data else Product.get(product, param="product").id
    empty = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
    price = Price(
        currency=currency.lower(), product=product, unit_amount=unit_amount, unit_amount_decimal=str(unit_amount),
        recurring=recurring and empty | recurring, type="recurring" if recurring else "one_time", active=active,
        lookup_key=lookup_key, nickname=nickname, metadata=metadata or {}, tax_behavior=tax_behavior,
        billing_scheme="per_unit",
    )  # fmt: skip
    emit("price.created", price)
    return price


@route("POST", "/v1/prices/{id}")
def update_price(id, transfer_lookup_key=False, **fields) -> Price:
    price = Price.get(id)
    if unknown := set(fields) - {"active", "metadata", "nickname", "lookup_key", "tax_behavior"}:
        raise unknown_parameters(unknown)
    take_lookup_key(fields.get("lookup_key"), transfer=transfer_lookup_key, own=price)
    price.change(**fields)
    return price


readable(Product, "/v1/products", by=("active", "ids", "url"))
readable(Price, "/v1/prices", by=("active", "currency", "product", "type", "lookup_keys", "recurring"))
