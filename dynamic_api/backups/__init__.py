"""Copies of what cannot be made again: written while the service runs, checked, rotated, and tried out."""
