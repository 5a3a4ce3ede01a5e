"""Refuses a site that contains what people pay for."""
