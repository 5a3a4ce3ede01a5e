"""People: how they sign up and in, what they may change, and how they leave."""
