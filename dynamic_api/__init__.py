"""The service: accounts, checkout, webhooks, learning, the phone's API, jobs, email."""

__version__ = "0.2.0"
