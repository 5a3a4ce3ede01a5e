"""`scripts/bench build`: our build beside Hugo's and Pelican's, on the same generated texts."""
