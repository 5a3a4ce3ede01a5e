"""Mail: one function a message, plain text and HTML from one source, sent from the outbox."""
