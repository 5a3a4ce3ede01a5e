"""What Stripe tells us: stored as it came, then acted on."""
