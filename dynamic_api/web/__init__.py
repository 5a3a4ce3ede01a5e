"""HTTP that knows no subject: requests and answers, routing, identity, sessions, logs, static files."""
