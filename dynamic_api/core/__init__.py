"""What every part stands on: the schema, the database, settings, errors, time, secrets, and the outbox."""
