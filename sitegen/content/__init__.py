"""The school's own pages and its news: `content/pages` and `content/posts`."""
