"""Articles in, searchable passages out. Knows nothing of questions, of models that write, or of screens."""
