"""Finding copies: exact, by perceptual hash, by MinHash; the copy of the most reliable source is kept."""
