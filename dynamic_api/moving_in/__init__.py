"""People who bought elsewhere: their purchases, accounts and progress. An import may be repeated; nothing doubles."""
