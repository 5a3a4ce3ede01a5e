"""How quick the service is, beside a bare route on the same kind of worker. `scripts/bench api`."""
