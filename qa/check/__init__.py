"""Whether an article says what a sentence says, and where."""
