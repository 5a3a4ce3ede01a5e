"""Stand-ins for the partners that speak their protocols: Stripe, Cloudflare Stream, a mail server. Loopback only."""
