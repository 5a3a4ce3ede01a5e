"""What was bought and what it grants: the state of an order, gifts, and entitlements."""
