"""Email: one function for each message, plain text and HTML from one source, sent by the worker."""
