"""A year of a million learners: measured with a few hundred real ones, and multiplied."""
