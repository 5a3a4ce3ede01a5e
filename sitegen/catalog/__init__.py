"""The catalogue: what a creator typed, checked and compiled. Knows nothing of Pelican or the service."""
