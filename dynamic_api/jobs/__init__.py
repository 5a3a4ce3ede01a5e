"""The worker: runs the outbox's jobs, retries them, and gives them up loudly."""
