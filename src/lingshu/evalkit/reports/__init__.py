"""Metrics of generated reports against references: files, sections, text metrics, and metrics that need a model."""
