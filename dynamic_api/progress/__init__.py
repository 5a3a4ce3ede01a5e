"""How far learners are: the rules as pure functions, the statements, and the writer that groups every change."""
