"""What changes for visitors and learners between two states of a school."""
