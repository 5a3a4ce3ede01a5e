"""Who is asking, and how they prove it."""
