"""What Stripe tells us: kept as it came, then acted upon."""
