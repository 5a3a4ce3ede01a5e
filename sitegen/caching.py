"""How long browsers may keep a file of the site."""

FOR_EVER = "public, max-age=31536000, immutable"  # assets: their addresses change with their content
ASK_AGAIN = "no-cache"
