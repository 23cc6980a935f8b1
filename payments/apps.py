from django.apps import AppConfig
from django.db.models.signals import post_delete


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        # Before ours: receivers run in the order of connection, and ours read the tables that dj-stripe's write.
        import djstripe.event_handlers  # noqa: F401
        from djstripe.signals import WEBHOOK_SIGNALS, webhook_pre_process

        from core.jobs.retention import register
        from core.storage.stored_files import discard_files_of
        from payments import retention
        from payments.deletion import delete_billing
        from payments.models import StudentApplication
        from payments.stripe.webhooks import FOLLOWED_EVENTS, handle_event, lock_event_customer
        from payments.subscription_changes import queue_customer_email
        from users.signals import account_closing, email_changed

        webhook_pre_process.connect(lock_event_customer)
        for kind in FOLLOWED_EVENTS:
            WEBHOOK_SIGNALS[kind].connect(handle_event)
        account_closing.connect(delete_billing)
        email_changed.connect(queue_customer_email)
        post_delete.connect(discard_files_of, sender=StudentApplication)
        register("invitations", retention.prune_invitations)
        register("payment requests", retention.prune_payment_requests)
        register("Stripe's events", retention.prune_stripe_events)
        register("closed customers", retention.prune_closed_customers)
        register("used trials", retention.prune_used_trials)
