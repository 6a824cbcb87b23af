"""Whether an archive is as it was written: its files, rows and indexes; copies of it; how long work on it takes."""
