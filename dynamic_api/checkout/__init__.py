"""How a purchase begins, and the page one comes back to."""
