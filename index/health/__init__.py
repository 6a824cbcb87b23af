"""Whether an archive is as it was written: its files, its rows, its indexes; and copies of it."""
