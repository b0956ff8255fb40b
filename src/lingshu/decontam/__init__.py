"""Overlap of training samples with the benchmarks: pictures, texts, groups."""
