"""What must happen later: rows, leased by a worker, tried again, given up loudly."""
