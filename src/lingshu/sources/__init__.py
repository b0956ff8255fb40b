"""Data sets from outside or generated: fetched, read, and turned into samples, pictures and facts."""
