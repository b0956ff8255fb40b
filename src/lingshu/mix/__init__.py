"""What each training stage sees: named groups of eligible samples, drawn by content id into a table of references."""
