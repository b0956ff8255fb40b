"""Deciding from signals: thresholds row by row, and expectation suites on what the tables say as a whole."""
