"""The models of `core`, where Django looks for them."""

from core.jobs.leases import WorkerLease

__all__ = ["WorkerLease"]
