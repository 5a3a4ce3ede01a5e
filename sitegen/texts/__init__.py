"""Markdown → HTML: one dialect for notes, descriptions, answers, posts and pages. docs/markdown.md shows every form."""
