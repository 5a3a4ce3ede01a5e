"""What the operator may ask and do; the command line calls these. Everything that changes something is audited."""
