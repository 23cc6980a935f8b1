"""Fixtures that run the stand-in for Stripe (demo/stripe) as a separate process and control it."""

import hashlib
import hmac
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

SECRET_KEY = "sk_test_" + "standin" * 4
WEBHOOK_SECRET = "whsec_standin"
WEBHOOK_PATH = "/api/stripe/webhook"


class StripeRefused(Exception):
    """An error that the stand-in returned to a request of the test itself."""


class StripeServer:
    """A handle on the stand-in: its clock, events, faults and objects."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, **params: Any) -> dict:
        query = "" if method == "POST" else "?" + urlencode(params, doseq=True)
        body = json.dumps(params).encode() if method == "POST" else None
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/json"}
        request = Request(self.url + path + query, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except HTTPError as error:
            raise StripeRefused(error.read().decode()) from None

    def get(self, path: str, **params: Any) -> dict:
        """Return an object of Stripe: `get("/v1/subscriptions/sub_1")`."""
        return self.ask("GET", path, **params)

    def post(self, path: str, **params: Any) -> dict:
        return self.ask("POST", path, **params)

    # time

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Move the clock: trials end, invoices are drafted, paid an hour later and retried, in order."""
        self.post("/_clock", advance_days=days, advance_seconds=seconds)

    def now(self) -> int:
        return self.get("/_clock")["now"]

    # events

    def events(self, after: dict | None = None, types: Iterable[str] = ()) -> list[dict]:
        """Return the events so far, oldest first."""
        found = self.get("/_events", after=after["id"] if after else "")["data"]
        return [event for event in found if not types or event["type"] in types]

    def deliver(self, client: Any, events: Iterable[dict], *, secret: str = WEBHOOK_SECRET) -> list[Any]:
        """Post the events with valid signatures through a test client; return the responses."""
        return [self.post_event(client, json.dumps(event), secret=secret) for event in events]

    def post_event(self, client: Any, body: str, *, secret: str = WEBHOOK_SECRET, age: float = 0) -> Any:
        header = signature(body, secret=secret, age=age)
        return client.post(WEBHOOK_PATH, body, content_type="application/json", headers={"stripe-signature": header})

    def deliver_over_http(self, url: str, *, secret: str = WEBHOOK_SECRET) -> dict:
        """Send every event from now on to this address."""
        return self.post("/v1/webhook_endpoints", url=url, enabled_events=["*"], secret=secret)

    def delivered(self) -> list[dict]:
        return self.get("/_deliveries")["data"]

    # trouble

    def fault(self, mode: str, *, seconds: float = 30, times: int = 0, only: str = "") -> None:
        """Set a fault: down, hang, lost (done, not answered), slow (done, answered late), 500, 429 or clear.

        `only="POST /v1/sub"` limits it to requests that begin like this.
        """
        self.post("/_fault", mode=mode, seconds=seconds, times=times, only=only)

    def retries(self, *days: int, then: str = "cancel") -> None:
        """Set when failed renewals are retried, and the final state of the subscription: cancel, unpaid or past_due."""
        self.post("/_dunning", retry_days=list(days), then=then)

    # what the customer does

    def confirm(self, client_secret: str, *, succeed: bool = True, payment_method: str | None = None) -> dict:
        """Complete the bank's authentication, as Stripe.js does in a browser."""
        chosen = {"payment_method": payment_method} if payment_method else {}
        return self.post("/_confirm", client_secret=client_secret, succeed=succeed, **chosen)

    def check_out(self, url: str, payment_method: str = "pm_card_visa") -> dict:
        """Submit the hosted Checkout page at that address; return the completed session."""
        return self.post(url.removeprefix(self.url), payment_method=payment_method)

    def in_portal(self, url: str, action: str, **choice: str) -> dict:
        """Act in the customer portal: cancel, resume, card (payment_method) or switch (price)."""
        return self.post(url.removeprefix(self.url), action=action, **choice)

    def card_becomes(self, payment_method: str, name: str) -> None:
        """Make a card behave like pm_card_NAME from now on: `card_becomes(id, "chargeCustomerFail")`."""
        self.post("/_card", payment_method=payment_method, becomes=name)

    # what Stripe has

    def all(self, resource: str, **by: str) -> list[dict]:
        """Return all objects of a kind, newest first: `all("invoices", customer="cus_1")`."""
        return self.get(f"/v1/{resource}", limit=100, **by)["data"]

    def subscriptions(self, customer: str | None = None) -> list[dict]:
        """Return all subscriptions, ended ones included."""
        return self.all("subscriptions", status="all", **({"customer": customer} if customer else {}))

    def invoices(self, customer: str) -> list[dict]:
        return self.all("invoices", customer=customer)

    def customers(self, email: str | None = None) -> list[dict]:
        return self.all("customers", **({"email": email} if email else {}))


def signature(body: str, *, secret: str = WEBHOOK_SECRET, age: float = 0) -> str:
    moment = int(time.time() - age)
    signed = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


@pytest.fixture(scope="session")
def stripe_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("stripe") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "demo.stripe.server", "--port", str(port)],
            cwd=Path(__file__).parent.parent,
            stdout=output,
            stderr=output,
        )
    try:
        while not answers(port):
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def stripe_server(stripe_process: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> StripeServer:
    """Reset the stand-in and point the settings at it."""
    import stripe

    server = StripeServer(stripe_process)
    server.post("/_reset")
    settings.STRIPE_API_BASE = stripe_process
    settings.STRIPE_LIVE_MODE = False
    settings.STRIPE_TEST_SECRET_KEY = SECRET_KEY
    settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
    monkeypatch.setattr(stripe, "api_base", stripe_process)
    monkeypatch.setattr(stripe, "api_key", SECRET_KEY)
    return server
