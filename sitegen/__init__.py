"""Turns course files into a static site and the service's manifest."""
