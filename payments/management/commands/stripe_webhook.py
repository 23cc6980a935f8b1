from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from core.errors import DomainError
from payments.stripe import gateway as stripe_gateway
from payments.stripe.webhooks import REQUIRED_EVENTS

HOW_TO = """Stripe reports payments to this server by events to {path}. The server accepts only events that are
signed with STRIPE_WEBHOOK_SECRET, which is {state}.

With a Stripe account, for a server that can be reached from outside:

    manage.py stripe_webhook --create https://music.example{path}

or by hand: dashboard.stripe.com > Developers > Webhooks > Add endpoint, with these events:

    {events}

With a Stripe account, for a server on this machine, with the Stripe CLI (it prints the secret):

    stripe listen --forward-to http://127.0.0.1:8000{path}

Without a Stripe account: `make stripe` starts a stand-in, which delivers events by itself and prints its settings.
"""


class Command(BaseCommand):
    help = "Print how Stripe's events reach this server, or register its address at Stripe."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--create", metavar="URL", help="register this address at Stripe and print the secret")

    def handle(self, *args: Any, **options: Any) -> None:
        path = reverse("stripe-webhook")
        if options["create"]:
            return self._create(options["create"], path)
        state = "set" if settings.STRIPE_WEBHOOK_SECRET else "NOT SET: every event is refused"
        self.stdout.write(HOW_TO.format(path=path, state=state, events="\n    ".join(REQUIRED_EVENTS)))

    def _create(self, url: str, path: str) -> None:
        if not url.rstrip("/").endswith(path):
            raise CommandError(f"The address has to end in {path}.")
        try:
            endpoint, secret = stripe_gateway.register_webhook(url, REQUIRED_EVENTS)
        except DomainError as error:
            raise CommandError(error.detail) from error
        self.stdout.write(f"Registered as {endpoint}. Stripe shows the secret only now:\n\n")
        self.stdout.write(f"STRIPE_WEBHOOK_SECRET={secret}")
