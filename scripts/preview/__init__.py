"""`coursewright preview`: a school on this machine while one writes it."""
