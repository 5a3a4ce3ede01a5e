"""The public site: which files there are, and what is in them."""
