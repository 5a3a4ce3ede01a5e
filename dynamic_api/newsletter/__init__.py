"""Who wants news by email: asked twice, and gone with one click."""
