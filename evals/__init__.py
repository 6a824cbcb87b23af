"""Question sets in, numbers and a report out."""
