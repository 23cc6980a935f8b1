"""Endpoints that create, update and delete customers; deletion cancels their subscriptions."""

import re

from .cards import attach, of_customer
from .catalogue import Customer, live_customer
from .objects import Refused, emit, readable, resources, route, store, unknown_parameters

CUSTOMER_FIELDS = {"address", "description", "email", "invoice_settings", "metadata", "name", "phone",
                   "preferred_locales", "shipping", "tax_exempt", "balance"}  # fmt: skip


def checked(fields: dict) -> dict:
    if unknown := set(fields) - CUSTOMER_FIELDS:
        raise unknown_parameters(unknown)
    email = fields.get("email")
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
        raise Refused(f"Invalid email address: {email}", code="email_invalid", param="email")
    return fields


@route("POST", "/v1/customers")
def create_customer(payment_method=None, **fields) -> Customer:
    settings = {"custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None}
    checked(fields)
    chosen = fields.pop("invoice_settings", {})
    customer = Customer(**{
        "balance": 0, "metadata": {}, "invoice_settings": settings, "tax_exempt": "none", "next_invoice_sequence": 1,
        "invoice_prefix": resources.random_id(8).upper(), "preferred_locales": [], **fields,
    })  # fmt: skip
    if payment_method:
        try:
            attached = attach(payment_method, customer=customer.id)
        except Refused:
            del store[f"customer:{customer.id}"]
            raise
        if chosen.get("default_payment_method") == payment_method:
            chosen["default_payment_method"] = attached.id
    if chosen.get("default_payment_method"):
        of_customer(chosen["default_payment_method"], customer, param="invoice_settings[default_payment_method]")
    customer.invoice_settings |= chosen
    emit("customer.created", customer)
    return customer


@route("POST", "/v1/customers/{id}")
def update_customer(id, **fields) -> Customer:
    customer = live_customer(id)
    checked(fields)
    if settings := fields.get("invoice_settings"):
        if settings.get("default_payment_method"):
            of_customer(settings["default_payment_method"], customer, param="invoice_settings[default_payment_method]")
        fields["invoice_settings"] = customer.invoice_settings | settings
    customer.change(**fields)
    return customer


@route("DELETE", "/v1/customers/{id}")
def delete_customer(id) -> Customer:
    customer = live_customer(id)
    for subscription in customer.kept_subscriptions():
        subscription.end()
    emit("customer.deleted", customer)
    customer.deleted = True
    return customer


readable(Customer, "/v1/customers", by=("email",))
