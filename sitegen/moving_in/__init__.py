"""Courses that come from elsewhere become drafts. Nothing that is there already is overwritten."""
