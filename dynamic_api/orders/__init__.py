"""What was bought and what it opens: the state of an order, gifts, and the ledger of access."""
