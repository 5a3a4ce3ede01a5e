"""Input that nobody meant: each part that reads it answers or refuses, and neither crashes nor takes long."""
