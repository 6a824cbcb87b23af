"""Makes the reader: a small network that tells what answers a question, where, and what follows from what."""
