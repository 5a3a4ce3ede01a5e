"""Orders: how one begins, and how it follows what Stripe knows."""
